export * from "./contract.ts";
export {
  EndpointDesk,
  type EndpointCounters,
  type EndpointDeskOptions,
  type EndpointRefusal,
  type EndpointTerms,
} from "./http/desk.ts";
export { registerEndpointRoutes } from "./http/routes.ts";
export { orderPatienceMs } from "./page-line.ts";
export { EndpointSession, type EndpointDoors } from "./session.ts";
export { EndpointSessions } from "./sessions.ts";
export {
  EndpointTokens,
  type EndpointTokensOptions,
  type PageHolder,
  type TokenHolder,
} from "./tokens/endpoint-tokens.ts";
export type { SipServerName } from "./wwe/register-dn.ts";
