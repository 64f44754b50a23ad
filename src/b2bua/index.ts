export type * from "./legs/agent-leg.ts";
export type { CallCaptureOptions, CallSummary } from "./call/call-capture.ts";
export type { CallNotice } from "./clients/call-notices.ts";
export { endedByOperator } from "./call/call.ts";
export type { CallQualityNow, CallQualityRecord, QualityNotice } from "./media/call-quality.ts";
export type { CallRecord } from "./call/call-record.ts";
export { dismissedReason } from "./clients/trunk-notices.ts";
export { turnOffer, type TurnOffer, type TurnTerms } from "./clients/turn-credentials.ts";
export type { AutoAnswer } from "./clients/auto-answer.ts";
export type { ClientRule } from "./clients/client-kinds.ts";
export type { CodecPreference } from "./media/codec-terms.ts";
export {
  jitterBuckets,
  lossBuckets,
  mosBuckets,
  setUpBuckets,
  soundWays,
  QualityTotals,
  type SoundWay,
} from "./media/quality-totals.ts";
export { trunkTermsOf, type TrunkSessionOptions } from "./legs/session-terms.ts";
export type { NumberRule } from "./outbound/number-rules.ts";
export type { OutboundPolicy } from "./outbound/outbound-policy.ts";
export { OutboundServers, type ServersDoor, type TrunkServer } from "./outbound/outbound-servers.ts";
export { trunkCapabilities } from "./legs/trunk-methods.ts";
export type { Trunk } from "./legs/trunk.ts";
export { B2bua, type CallTerms, type B2buaEvents, type B2buaOptions } from "./b2bua.ts";
