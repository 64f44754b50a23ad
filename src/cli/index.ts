export { Gateway, type GatewayCounts } from "./gateway.ts";
export type { ConfigSource } from "./live-config.ts";
export type { GatewaySurroundings } from "./surroundings.ts";
export { run } from "./run.ts";
