export { adminIsOn, ssidSecret, tokenSecret } from "./admin.ts";
export { scryptText, tokenName, type AdminRole } from "./admin-section.ts";
export {
  autoAnswerOf,
  configuredDns,
  findAccount,
  trunkCredentials,
  type AgentAccount,
  type AgentCredentials,
} from "./accounts.ts";
export { configChanges, mayReload, type ConfigChange } from "./changes.ts";
export { demoAdmin, demoConfig, demoDns, demoPassword, type DemoOptions } from "./demo.ts";
export { environmentName } from "./environment.ts";
export { formatFaults, type ConfigFault } from "./faults.ts";
export type { ServerAddress, SipTransportName } from "./keys.ts";
export { checkTree, loadConfig, type ConfigResult, type ConfigWarning, type LoadOptions } from "./load.ts";
export { gwsOrigins } from "./gws-page.ts";
export { listenerAsksForToken, metricsAreOn } from "./metrics.ts";
export { readHttpAddress, type HttpAddress } from "./http-address.ts";
export { pageSettings, type PageSettings } from "./page-settings.ts";
export { configKeys, configurationReference } from "./reference.ts";
export type { JwtAlgorithm } from "./account-sources.ts";
export { reloadAccountsFile } from "./agents-sources.ts";
export type {
  AccountConfig,
  AdminUserConfig,
  Config,
  JwtConfig,
  LookupConfig,
  RangeConfig,
} from "./types.ts";
export { turnTerms } from "./turn.ts";
export { rereadFiles } from "./watched-files.ts";
