export { MetricsDoor } from "./door.ts";
export type { Collect, MetricDefinition, Put } from "./definition.ts";
export { agentCollector, trunkCollector } from "./groups/agents.ts";
export { callCollector } from "./groups/calls.ts";
export { gatewayCollector, socketCollector, type GatewaySources } from "./groups/gateway.ts";
export { mediaCollector, workerCollector } from "./groups/media.ts";
export {
  banCollector,
  directoryCollector,
  recordCollector,
  telemetryCollector,
} from "./groups/onlookers.ts";
export { sipCollector } from "./groups/sip.ts";
export { registerMetricsRoute, type MetricsAccess } from "./routes.ts";
export { Scrapes } from "./scrape.ts";
