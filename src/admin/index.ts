export { registerCallRoutes, type CallRoutesOptions, type CallsDoor } from "./calls.ts";
export type { TracesDoor } from "./traces.ts";
export { registerAdminRoutes, type HealthSources } from "./health.ts";
export type { Identity } from "./identity.ts";
export { Login, type LoginOptions } from "./login.ts";
export { registerLoginRoutes, type LoginRoutesOptions } from "./login-routes.ts";
export { hashPassword } from "./password-hash.ts";
