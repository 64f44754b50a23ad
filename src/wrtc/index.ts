export type * from "./contract.ts";
export { createClientCalls, type ClientCallServices } from "./calls/client-calls.ts";
export { WrtcLegs } from "./calls/wrtc-legs.ts";
