export { WrtcClient, type ClientEvent, type ClientOptions, type SessionState } from "./client.ts";
export type { Connection, Description, Direction } from "./connection.ts";
export type { Candidate } from "./messages.ts";
export { inlineCandidates, videoTweaks, withoutTls } from "./sdp.ts";
export { Wire, type SignedIn, type WireOptions, type WireUser } from "./wire.ts";
