export { CallTransfers } from "./call-transfers.ts";
export { EndedDialogs, findReplaced, type ReplaceableCall, type ReplacesFault } from "./replaced-dialog.ts";
export type { TransferCall } from "./transfer-call.ts";
export { headersOfRefer, numberOf } from "./trunk-referral.ts";
