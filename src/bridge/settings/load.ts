import { readFileSync, statSync } from "node:fs";
import type { BridgeSettings, Machine, SettingFault } from "../contract.ts";
import { checkSettings, type SettingSource } from "./keys.ts";
import { placesOf } from "./places.ts";
import { readPolicy } from "./policy.ts";

export interface LoadedSettings {
  /** Sound only where `faults` is empty. */
  readonly settings: BridgeSettings;
  readonly faults: readonly SettingFault[];
  /** What was read, the first deciding. */
  readonly sources: readonly string[];
}

const maxFileBytes = 65_536;
/** Keys above others: `{"gateway": {"url": ...}}` is `gateway.url`. */
const groups = new Set(["gateway", "browser", "log"]);

/** Reads policy, then files: `file` alone, or those of the platform as far as they are there. */
export async function loadSettings(machine: Machine, file?: string): Promise<LoadedSettings> {
  const places = placesOf(machine);
  const read =
    file === undefined ? places.files.map((name) => readFile(name, true)) : [readFile(file, false)];
  const policy = await readPolicy(machine);
  const found = [policy, ...read.map(({ source }) => source)].filter((source) => source !== undefined);
  const { settings, faults } = checkSettings(found, places.folder);
  return {
    settings,
    faults: [...read.flatMap(({ fault }) => fault ?? []), ...faults],
    sources: found.map(({ name }) => name),
  };
}

interface ReadFile {
  readonly source?: SettingSource;
  readonly fault?: SettingFault;
}

function readFile(name: string, optional: boolean): ReadFile {
  const fault = (reason: string, remedy: string): ReadFile => ({
    fault: { source: name, key: "", value: "", reason, remedy },
  });
  let text: string;
  try {
    if (statSync(name).size > maxFileBytes) return fault("is too large", "settings take a few lines");
    text = readFileSync(name, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (optional && (code === "ENOENT" || code === "ENOTDIR")) return {};
    return fault(`cannot be read (${String(code)})`, "make it readable for this user");
  }
  try {
    const parsed: unknown = JSON.parse(text);
    const values = flatten(parsed);
    if (values) return { source: { name, values } };
  } catch {
    // Told below; the parser's own words may quote what stands there.
  }
  return fault("is not a JSON object", 'write {"gateway": {"url": "https://gateway.example.com:8443"}}');
}

function flatten(tree: unknown): Map<string, unknown> | undefined {
  if (!isObject(tree)) return undefined;
  const values = new Map<string, unknown>();
  for (const [key, value] of Object.entries(tree)) {
    if (groups.has(key) && isObject(value))
      for (const [inner, one] of Object.entries(value)) values.set(`${key}.${inner}`, one);
    else values.set(key, value);
  }
  return values;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
