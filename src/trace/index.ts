export type * from "./contract.ts";
export { summaryJson, traceJson, traceText } from "./show.ts";
export { TraceStore } from "./store.ts";
