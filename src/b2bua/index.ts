export type * from "./agent-leg.ts";
export type { CallCaptureOptions, CallSummary } from "./call-capture.ts";
export type { CallRecord } from "./call-record.ts";
export type { CodecPreference } from "./call-media.ts";
export { trunkCapabilities, type Trunk } from "./trunk-leg.ts";
export { B2bua, type B2buaEvents, type B2buaOptions } from "./b2bua.ts";
