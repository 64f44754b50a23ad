export { Counters } from "./counters.ts";
export { DtlsEndpoint, type DtlsEndpointOptions } from "./endpoint.ts";
export { sameFingerprints, usableFingerprints } from "./peer-authentication.ts";
export { createCertificate, type DtlsCertificate, type DtlsSrtpKeys } from "./werift-engine.ts";
