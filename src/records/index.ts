export { CallRecords, type CallRecordsOptions } from "./call-records.ts";
export type { RecordCounters } from "./counters.ts";
export { publicRecord, type PublicRecord } from "./public-record.ts";
export { signature } from "./webhook/post.ts";
