export type * from "./types.ts";
export type { TransactionCounters } from "./counters.ts";
export type { MessageCount } from "./message-tally.ts";
export type { MessageObserver } from "./observer.ts";
export { createTransactionLayer, type TransactionLayerOptions } from "./layer.ts";
export type { TransactionLayerWithReceiver } from "./layer.ts";
export { nobodyWaits } from "./nobody.ts";
export { defaultTransactionLimits, type TransactionLimits } from "./limits.ts";
