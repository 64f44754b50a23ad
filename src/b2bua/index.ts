export type * from "./legs/agent-leg.ts";
export type { CallCaptureOptions, CallSummary } from "./call/call-capture.ts";
export type { CallNotice } from "./clients/call-notices.ts";
export type { CallQualityRecord, QualityNotice } from "./media/call-quality.ts";
export type { CallRecord } from "./call/call-record.ts";
export type { AutoAnswer } from "./clients/auto-answer.ts";
export type { ClientRule } from "./clients/client-kinds.ts";
export type { CodecPreference } from "./media/codec-terms.ts";
export {
  mosBuckets,
  soundWays,
  QualityTotals,
  type MosHistogram,
  type SoundWay,
} from "./media/quality-totals.ts";
export { trunkTermsOf, type TrunkSessionOptions } from "./legs/session-terms.ts";
export type { NumberRule } from "./outbound/number-rules.ts";
export type { OutboundPolicy } from "./outbound/outbound-policy.ts";
export { OutboundServers, type ServersDoor, type TrunkServer } from "./outbound/outbound-servers.ts";
export { trunkCapabilities, type Trunk } from "./legs/trunk-leg.ts";
export { B2bua, type B2buaEvents, type B2buaOptions } from "./b2bua.ts";
