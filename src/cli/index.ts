export { Gateway, type GatewayCounts } from "./gateway.ts";
export type { GatewaySurroundings } from "./surroundings.ts";
export { run } from "./run.ts";
