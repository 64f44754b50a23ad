export { Gateway, type GatewayCounts, type GatewaySurroundings } from "./gateway.ts";
export { run } from "./run.ts";
