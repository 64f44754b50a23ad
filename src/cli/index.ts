export { Gateway, type GatewayCounts } from "./gateway/gateway.ts";
export type { ConfigSource } from "./gateway/live-config.ts";
export type { GatewaySurroundings } from "./gateway/surroundings.ts";
export { run } from "./run.ts";
