export type * from "./contract.ts";
export type { LoginLimits } from "./login-guard.ts";
export type { ExpiresPolicy } from "./register-request.ts";
export type { RegistrarCounters, RegistrarOptions, RegistrarPolicy } from "./registrar-options.ts";
export { createRegistrar, type AgentRegistrar } from "./registrar.ts";
export {
  createServerPool,
  type ServerPool,
  type ServerPoolEvents,
  type ServerPoolOptions,
  type ServerPoolSurroundings,
} from "./server-pool.ts";
export type { TrunkCounters } from "./trunk-exchange.ts";
export {
  createTrunkRegistrations,
  type CloseAllOptions,
  type PacedTrunkRegistrations,
  type TrunkOptions,
  type TrunkRegistrationsOptions,
} from "./trunk-registrations.ts";
