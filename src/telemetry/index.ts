export { HepExport, type HepExportParts } from "./hep/export.ts";
export { encodeHep, type HepEnd, type HepPacket } from "./hep/packet.ts";
export { HepSender, type HepCounters, type HepTarget } from "./hep/sender.ts";
export { callSpan, type CallSpanOptions } from "./spans/call-span.ts";
export { SpanExport, type SpanCounters, type SpanExportOptions } from "./spans/export.ts";
export type { Attributes, PlannedEvent, PlannedSpan } from "./spans/plan.ts";
