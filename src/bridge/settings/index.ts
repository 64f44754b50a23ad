export { gatewayUrl as readGatewayUrl } from "./checks.ts";
export { faultLine, settingKeys } from "./keys.ts";
export { loadSettings, type LoadedSettings } from "./load.ts";
