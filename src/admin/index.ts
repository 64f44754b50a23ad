export { registerCallRoutes, type CallRoutesOptions, type CallsDoor } from "./calls.ts";
export type { TracesDoor } from "./traces.ts";
export { registerAdminRoutes, type HealthSources } from "./health.ts";
