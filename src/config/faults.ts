import type { z } from "zod";
import { factsAt, pathText, schemaAt, shapeOf, valueAt, type Path } from "./walk.ts";

/** One thing wrong with the configuration. */
export interface ConfigFault {
  /** `media.rtpPorts`, or `file` for the file as a whole. */
  readonly key: string;
  /** The value as found, shortened; `[cut]` for secrets, empty where there is none. */
  readonly value: string;
  /** To be read after the value: `is not a port number ...`. */
  readonly reason: string;
  /** What to do: `write ...`. */
  readonly remedy: string;
  /** `line 12`, or the environment variable it came from; undefined where neither is known. */
  readonly where?: string;
}

/** Where the value at a path came from. */
export type Locate = (path: Path) => string | undefined;

/** Makes a fault about the value at `path`. */
export function faultAt(
  root: z.core.$ZodType,
  tree: unknown,
  locate: Locate,
  path: Path,
  words: { reason: string; remedy: string },
): ConfigFault {
  const secret = factsAt(root, path)?.secret === true;
  const where = locate(path);
  const value = shown(valueAt(tree, path), secret);
  return { key: pathText(path), value, ...words, ...(where === undefined ? {} : { where }) };
}

/** All that the schema says against the tree. */
export function schemaFaults(
  root: z.core.$ZodType,
  tree: unknown,
  locate: Locate,
  issues: readonly z.core.$ZodIssue[],
  above: Path = [],
): ConfigFault[] {
  return issues.flatMap((issue) => {
    const path = [...above, ...issue.path.map((part) => (typeof part === "number" ? part : String(part)))];
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((name) => unknownKey(root, locate, path, name));
    const facts = factsAt(root, path);
    const expected = facts?.expects ?? "what belongs there";
    const reason = (valueAt(tree, path) ?? undefined) === undefined ? "is missing" : `is not ${expected}`;
    const example = facts?.example === undefined ? "" : `, e.g. ${facts.example}`;
    return [faultAt(root, tree, locate, path, { reason, remedy: `write ${expected}${example}` })];
  });
}

/** A key that is none. Its value is never shown: it may be a secret under a name mistyped. */
export function unknownKey(root: z.core.$ZodType, locate: Locate, path: Path, name: string): ConfigFault {
  const schema = path.length === 0 ? root : schemaAt(root, path);
  const known = Object.keys((schema && shapeOf(schema)) ?? {});
  const near = known.find((candidate) => distance(candidate.toLowerCase(), name.toLowerCase()) <= 2);
  const where = locate([...path, name]);
  return {
    key: pathText([...path, name]),
    value: "",
    reason: "is no known key",
    remedy: near ? `write ${near}, if that was meant` : `take it out; known here: ${known.join(", ")}`,
    ...(where === undefined ? {} : { where }),
  };
}

/** The report that `start` and `check` print: what is wrong and what to do, all at once. */
export function formatFaults(faults: readonly ConfigFault[], file?: string): string {
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  const lines = [`${file ?? "configuration"}: ${count}`];
  for (const { key, value, reason, remedy, where } of faults) {
    const place = where === undefined ? "" : ` (${where})`;
    lines.push(`  ${key}${place}: ${value === "" ? "" : `${value} `}${reason}`, `    -> ${remedy}`);
  }
  return lines.join("\n");
}

function shown(value: unknown, secret: boolean): string {
  // `key:` with nothing behind it is null in YAML.
  if (value === undefined || value === null) return "";
  if (secret) return "[cut]";
  // Maps and lists may hold secrets deeper down.
  if (Array.isArray(value))
    return value.every((entry) => typeof entry !== "object") ? cut(value) : "the list";
  return typeof value === "object" ? "the map" : cut(value);
}

function cut(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** Edit distance (Levenshtein), for "did you mean". */
function distance(one: string, other: string): number {
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const change = one[row - 1] === other[column - 1] ? 0 : 1;
      const above = (previous[column] ?? 0) + 1;
      const left = (current[column - 1] ?? 0) + 1;
      current.push(Math.min(above, left, (previous[column - 1] ?? 0) + change));
    }
    previous = current;
  }
  return previous[other.length] ?? 0;
}
