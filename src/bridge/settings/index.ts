export { faultLine, settingKeys } from "./keys.ts";
export { loadSettings, type LoadedSettings } from "./load.ts";
export { placesOf } from "./places.ts";
