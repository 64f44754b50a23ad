export type * from "./contract.ts";
export {
  AgentTokens,
  tokenSeconds,
  type AgentSession,
  type AgentTokensOptions,
  type SessionCredentials,
  type TokenRefusal,
} from "./agent-tokens.ts";
export {
  LoginGuard,
  type Ban,
  type BanFilter,
  type LoginGuardEvents,
  type LoginLimits,
} from "./login-guard.ts";
export type { ExpiresPolicy } from "./register-request.ts";
export type { RegistrarCounters, RegistrarOptions, RegistrarPolicy } from "./registrar-options.ts";
export { createRegistrar, type AgentRegistrar } from "./registrar.ts";
export { looksLikeJwt, JwtLogin, type JwtLoginOptions, type JwtRefusal } from "./jwt/jwt-login.ts";
export type { DirectoryAgent } from "./directory/answer.ts";
export {
  AgentDirectory,
  type DirectoryCounters,
  type DirectoryOptions,
  type Readiness,
} from "./directory/directory.ts";
export { RegisterDesk, type RegisterDeskOptions } from "./register-desk.ts";
export { SignInDesk, type SignInDeskOptions, type SignInResult } from "./sign-in-desk.ts";
export { joinServers, NamedServer, type NamedServerOptions } from "./named-server.ts";
export type { ServerPoolOptions } from "./pooled-server.ts";
export {
  lookUpServer,
  type Endpoint,
  type Found,
  type NameResolver,
  type ServerName,
  type ServiceRecord,
  type ServiceTransport,
} from "./server-lookup.ts";
export {
  createServerPool,
  type ServerPool,
  type ServerPoolEvents,
  type ServerStanding,
  type ServerPoolSurroundings,
} from "./server-pool.ts";
export { fixedServers, type ServerSource } from "./server-source.ts";
export type { TrunkCounters } from "./trunk-exchange.ts";
export {
  createTrunkRegistrations,
  type CloseAllOptions,
  type PacedTrunkRegistrations,
  type RegistrationServer,
  type TrunkOptions,
  type TrunkRegistrationsOptions,
} from "./trunk-registrations.ts";
