export { registerAdminRoutes, type HealthSources } from "./health.ts";
