export { registerCallRoutes, type CallRoutesOptions, type CallsDoor } from "./calls.ts";
export { registerAdminRoutes, type HealthSources } from "./health.ts";
