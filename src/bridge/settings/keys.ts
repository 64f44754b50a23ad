import type { BridgeSettings, SettingFault } from "../contract.ts";
import { gatewayUrl, oneOf, origins, path, size, texts, whole, type Check } from "./checks.ts";

/** Values as one place has them, by the whole name of the key (`gateway.url`). */
export interface SettingSource {
  /** The file, or the registry key. */
  readonly name: string;
  readonly values: ReadonlyMap<string, unknown>;
}

/** Every key with its check; what it is for is in docs/bridge.md. */
const keys = {
  "gateway.url": gatewayUrl,
  "gateway.ca": path,
  // 0: any that is free, for tests.
  port: whole(0, 65_535),
  origins,
  window: oneOf("always", "on-register", "never"),
  "browser.path": path,
  "browser.size": size,
  "browser.arguments": texts,
  folder: path,
  "log.level": oneOf("debug", "info", "warn", "error"),
  "log.megabytes": whole(1, 100),
} satisfies Record<string, Check<unknown>>;

type Keys = typeof keys;
type ValueOf<Key extends keyof Keys> = Keys[Key] extends Check<infer Value> ? Value : never;

export const settingKeys: readonly string[] = Object.keys(keys);

/** Checks what the sources say, the first that has a key deciding; defaults stand where none has it. */
export function checkSettings(
  sources: readonly SettingSource[],
  folder: string,
): { readonly settings: BridgeSettings; readonly faults: readonly SettingFault[] } {
  const faults = sources.flatMap(unknownKeys);
  const take = <Key extends keyof Keys, Fallback>(key: Key, fallback: Fallback): ValueOf<Key> | Fallback => {
    const source = sources.find(({ values }) => values.has(key));
    if (!source) return fallback;
    const found = source.values.get(key);
    const checked = keys[key](found);
    if (checked.value !== undefined) return checked.value as ValueOf<Key>;
    faults.push({
      source: source.name,
      key,
      value: shown(found),
      reason: checked.reason,
      remedy: checked.remedy,
    });
    return fallback;
  };
  const settings: BridgeSettings = {
    gateway: { url: take("gateway.url", undefined), ca: take("gateway.ca", undefined) },
    port: take("port", 8000),
    origins: take("origins", undefined),
    window: take("window", "on-register"),
    browser: {
      path: take("browser.path", undefined),
      size: take("browser.size", [420, 640]),
      arguments: take("browser.arguments", []),
    },
    folder: take("folder", folder),
    log: { level: take("log.level", "info"), megabytes: take("log.megabytes", 5) },
  };
  return { settings, faults };
}

function unknownKeys({ name, values }: SettingSource): SettingFault[] {
  return [...values]
    .filter(([key]) => !Object.hasOwn(keys, key))
    .map(([key, value]) => ({
      source: name,
      key,
      value: shown(value),
      reason: "is no key of the bridge",
      remedy: `take it out; there are ${settingKeys.join(", ")}`,
    }));
}

const longest = 80;

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > longest ? `${text.slice(0, longest)}...` : text;
}

/** One fault in one line. */
export function faultLine({ source, key, value, reason, remedy }: SettingFault): string {
  const named = key === "" ? source : `${source}: ${key}${value === "" ? "" : ` ${value}`}`;
  return `${named} ${reason}; ${remedy}`;
}
