export type * from "./contract.ts";
export { cutMessage } from "./cut.ts";
export type { QualityPoint, TracedQuality, TracedWay, TracedWayQuality } from "./quality-series.ts";
export { summaryJson, traceJson, traceText } from "./show.ts";
export { TraceStore } from "./store.ts";
