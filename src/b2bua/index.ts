export type * from "./agent-leg.ts";
export type { CallCaptureOptions, CallSummary } from "./call-capture.ts";
export type { CallNotice } from "./call-notice.ts";
export type { CallQualityRecord, QualityNotice } from "./call-quality.ts";
export type { CallRecord } from "./call-record.ts";
export type { CodecPreference } from "./codec-terms.ts";
export { mosBuckets, soundWays, QualityTotals, type MosHistogram, type SoundWay } from "./quality-totals.ts";
export { trunkCapabilities, type Trunk } from "./trunk-leg.ts";
export { B2bua, type B2buaEvents, type B2buaOptions } from "./b2bua.ts";
