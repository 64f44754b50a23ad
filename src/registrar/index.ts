export type * from "./contract.ts";
export { defaultLoginLimits, type LoginLimits } from "./login-guard.ts";
export { type ExpiresPolicy } from "./register-request.ts";
export {
  defaultRegistrarPolicy,
  type RegistrarCounters,
  type RegistrarOptions,
  type RegistrarPolicy,
} from "./registrar-options.ts";
export { createRegistrar, type AgentRegistrar } from "./registrar.ts";
export {
  createServerPool,
  defaultServerPoolOptions,
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
