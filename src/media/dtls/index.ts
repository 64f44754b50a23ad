export { DtlsEndpoint, type DtlsEndpointOptions } from "./endpoint.ts";
export { warmUpDtls } from "./warm-up.ts";
export { sameFingerprints, usableFingerprints } from "./peer-authentication.ts";
export { createCertificate, type DtlsCertificate, type DtlsSrtpKeys } from "./werift-engine.ts";
