export { Bridge, type BridgeOptions } from "./bridge.ts";
export { loadCertificate, loadOrMakeCertificate } from "./certificate/certificate.ts";
export { certificateFolder } from "./certificate/folder.ts";
export { keepTrusted } from "./certificate/trust.ts";
export { viewCertificate } from "./certificate/view.ts";
export type {
  AgentStatusAnswer,
  BridgeSettings,
  CertificateView,
  CredentialStore,
  Enrolment,
  LocalCertificate,
  Machine,
  SettingFault,
  StartedProgram,
} from "./contract.ts";
export { secretStore } from "./credentials/credentials.ts";
export { enrol } from "./enrol.ts";
export { trustedAuthorities } from "./gateway/authorities.ts";
export { GatewayClient } from "./gateway/client.ts";
export { GatewayLink } from "./gateway/link.ts";
export { LogFile } from "./log/log-file.ts";
export { systemMachine } from "./machine.ts";
export { faultLine, loadSettings, readGatewayUrl, type LoadedSettings } from "./settings/index.ts";
export { runSetup, thisPc, type SetupCommand } from "./setup.ts";
export { findBrowser } from "./window/browsers.ts";
