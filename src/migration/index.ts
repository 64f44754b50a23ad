export { importAsterisk, type ImportInput, type ImportResult } from "./import.ts";
export { configText } from "./yaml.ts";
export type { NamedText, ReadIncluded } from "./config-file.ts";
