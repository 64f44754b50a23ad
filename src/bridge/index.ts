export { Bridge, type BridgeOptions } from "./bridge.ts";
export type {
  AgentStatusAnswer,
  BridgeSettings,
  CredentialStore,
  Enrolment,
  LocalCertificate,
  Machine,
  SettingFault,
  StartedProgram,
} from "./contract.ts";
export { enrol } from "./enrol.ts";
export { trustedAuthorities } from "./gateway/authorities.ts";
export { GatewayClient } from "./gateway/client.ts";
export { readEnrolment } from "./gateway/enrolment.ts";
export { LogFile } from "./log/log-file.ts";
export { systemMachine } from "./machine.ts";
export { faultLine, loadSettings, placesOf, type LoadedSettings } from "./settings/index.ts";
