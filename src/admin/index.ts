export { registerCallRoutes, type CallRoutesOptions, type CallsDoor } from "./calls.ts";
export type { TracesDoor } from "./traces.ts";
export { readyTrouble, registerAdminRoutes, type HealthSources } from "./health.ts";
export type { Identity } from "./identity.ts";
export { Login, type LoginEvents, type LoginOptions } from "./login.ts";
export { registerLoginRoutes, type LoginRoutesOptions } from "./login-routes.ts";
export { registerEndpointTokenRoutes, type EndpointTokenRoutesOptions } from "./endpoint-tokens.ts";
export { registerTokenRoutes, type TokenRoutesOptions, type TokensDoor } from "./tokens.ts";
export { registerSignInRoute, type SignInRouteOptions } from "./sign-in.ts";
export { registerBanRoutes, type BanRoutesOptions, type ShownBan } from "./bans.ts";
export { hashPassword } from "./password-hash.ts";
export type { Access } from "./access.ts";
export { showLevels } from "./acts/log-level.ts";
export {
  registerActRoutes,
  type ActRoutesOptions,
  type ActsDoor,
  type DrainDoor,
  type ReloadAnswer,
} from "./acts/routes.ts";
export { registerCaptureFileRoute, type CaptureFileRouteOptions } from "./capture-file.ts";
export * from "./metrics/index.ts";
export { AuditLog } from "./status/audit-log.ts";
export type * from "./status/contract.ts";
export { FailureLog, type FailureNews } from "./status/failure-log.ts";
export { watchFailures } from "./status/failure-watch.ts";
export { registerStatusRoutes, type StatusRoutesOptions } from "./status/routes.ts";
export { showCertificate } from "./status/show.ts";
export type { FailureSources, ProcessLoad, StatusSources } from "./status/sources.ts";
export { registerAgentRoute, type AgentRouteOptions } from "./status/agents.ts";
export { StatusBoard, type StatusBoardOptions } from "./status/status-board.ts";
