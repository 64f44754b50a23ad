import { isDeepStrictEqual } from "node:util";
import { keyFacts } from "./keys.ts";
import { configSchema } from "./schema.ts";
import type { Config } from "./types.ts";
import { pathText, schemaAt, type Path } from "./walk.ts";

/** What two configurations differ by at one key. */
export interface ConfigChange {
  /** `calls.outbound.rules` */
  readonly key: string;
  /** In words; never with a secret in it: `60 -> 120`, `2 added: 5003, 5004`, `changed`. */
  readonly what: string;
  /** Whether it takes effect without a restart. */
  readonly reload: boolean;
}

/** Everything that `after` says otherwise than `before`, key by key; a list is one key. */
export function configChanges(before: Config, after: Config): ConfigChange[] {
  return changesAt([], before, after);
}

/** What a file holds that a key names; it changes without a restart. */
const readFromFiles = new Set(["agents.fileAccounts", "agents.jwt.publicKey", "records.webhook.ca"]);

/** Whether the key at this path, or one above it, takes effect at a reload. */
export function mayReload(path: Path): boolean {
  if (readFromFiles.has(pathText(path))) return true;
  return path.some((_part, index) => {
    const schema = schemaAt(configSchema, path.slice(0, index + 1));
    return schema !== undefined && keyFacts.get(schema)?.reload === true;
  });
}

function changesAt(path: Path, before: unknown, after: unknown): ConfigChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (isMap(before) && isMap(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return Array.from(names).flatMap((name) => changesAt([...path, name], before[name], after[name]));
  }
  const what =
    isListOfMaps(before) && isListOfMaps(after) ? entriesText(before, after) : valueText(path, before, after);
  return [{ key: pathText(path), what, reload: mayReload(path) }];
}

type Entry = Readonly<Record<string, unknown>>;

function isMap(value: unknown): value is Entry {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOfMaps(value: unknown): value is readonly Entry[] {
  return Array.isArray(value) && value.every(isMap);
}

const longestValue = 200;

/** What is read from files has no schema of its own, and is a secret as likely as not. */
function valueText(path: Path, before: unknown, after: unknown): string {
  const schema = schemaAt(configSchema, path);
  const plain =
    !readFromFiles.has(pathText(path)) &&
    [before, after].every((value) => !isMap(value) && !isListOfMaps(value));
  if (!schema || !plain || keyFacts.get(schema)?.secret) return "changed";
  const [was, is] = [shown(before), shown(after)];
  return was === is ? "changed" : `${was} -> ${is}`;
}

/** Path and query of an address may hold a key: it is shown as far as its host and port. */
function shown(value: unknown): string {
  if (typeof value === "string" && /^https?:/.test(value) && URL.canParse(value))
    return new URL(value).origin;
  return (JSON.stringify(value) ?? "none").slice(0, longestValue);
}

/** Entries by what they are called, and no more of them: there are passwords among their values. */
function entriesText(before: readonly Entry[], after: readonly Entry[]): string {
  const [was, is] = [byName(before), byName(after)];
  if (!was || !is) return `${before.length} entries -> ${after.length} entries`;
  const parts = [
    counted(
      "added",
      Array.from(is.keys()).filter((name) => !was.has(name)),
    ),
    counted(
      "removed",
      Array.from(was.keys()).filter((name) => !is.has(name)),
    ),
    counted(
      "changed",
      Array.from(is).flatMap(([name, entry]) => {
        const former = was.get(name);
        return former && !isDeepStrictEqual(former, entry) ? [name] : [];
      }),
    ),
  ].filter((part) => part !== "");
  return parts.length === 0 ? "in another order" : parts.join("; ");
}

const namesShown = 10;

function counted(what: string, names: readonly string[]): string {
  if (names.length === 0) return "";
  const more = names.length > namesShown ? " ..." : "";
  return `${names.length} ${what}: ${names.slice(0, namesShown).join(", ")}${more}`;
}

/** Undefined where names are missing or stand there twice. */
function byName(entries: readonly Entry[]): ReadonlyMap<string, Entry> | undefined {
  const named = new Map<string, Entry>();
  for (const entry of entries) {
    const { dn, from, to, name, match, host, port } = entry;
    const range = typeof from === "string" && typeof to === "string" ? `${from}-${to}` : undefined;
    const address = typeof host === "string" ? `${host}:${typeof port === "number" ? port : ""}` : undefined;
    const called = dn ?? range ?? name ?? match ?? address;
    if (typeof called !== "string" || named.has(called)) return undefined;
    named.set(called, entry);
  }
  return named;
}
