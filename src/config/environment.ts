import { z } from "zod";
import { parse } from "yaml";
import type { ConfigFault } from "./faults.ts";
import { elementOf, pathText, shapeOf, unwrap, type Path } from "./walk.ts";

/** Begins every variable that sets a key: `JACKFIELD__HTTP__PORT=8443`. */
export const environmentPrefix = "JACKFIELD__";

export interface EnvironmentResult {
  /** The file's tree with the variables laid over it; the tree given is not changed. */
  readonly tree: unknown;
  readonly faults: ConfigFault[];
  /** Path as text to the variable it was set by. */
  readonly origins: ReadonlyMap<string, string>;
}

/**
 * Lays variables over the tree: the path in upper or lower case, parts joined by two underscores, single ones
 * ignored (`SIP_SERVER` is `sipServer`), list entries by number. Lists of words may be written with commas, other
 * lists and maps as YAML or JSON.
 */
export function applyEnvironment(
  root: z.core.$ZodType,
  tree: unknown,
  env: Readonly<Record<string, string | undefined>>,
): EnvironmentResult {
  const faults: ConfigFault[] = [];
  const origins = new Map<string, string>();
  const result: unknown = structuredClone(tree);
  // In order of name, so that a whole list comes before one of its entries.
  const names = Object.keys(env).filter((name) => name.toUpperCase().startsWith(environmentPrefix));
  for (const name of names.sort()) {
    const value = env[name];
    if (value === undefined) continue;
    const target = resolveName(root, name);
    const where = { key: name, value: "", where: "environment" };
    if (!target) {
      faults.push({
        ...where,
        reason: "names no known key",
        remedy: "see docs/configuration.md for the keys",
      });
      continue;
    }
    const set = place(result, target.path, toValue(target.schema, value));
    const remedy = "set the list or map above it first, entries without a gap";
    if (!set) faults.push({ ...where, reason: `has no place for ${pathText(target.path)}`, remedy });
    else origins.set(pathText(target.path), name);
  }
  return { tree: result, faults, origins };
}

/** Name of the variable that sets a key. */
export function environmentName(path: Path): string {
  return environmentPrefix + path.map((part) => String(part).toUpperCase()).join("__");
}

function resolveName(
  root: z.core.$ZodType,
  name: string,
): { path: Path; schema: z.core.$ZodType } | undefined {
  const path: (string | number)[] = [];
  let schema = root;
  for (const part of name.slice(environmentPrefix.length).split("__")) {
    const wanted = part.replaceAll("_", "").toLowerCase();
    const element = elementOf(schema);
    if (element && /^\d{1,5}$/.test(part)) {
      path.push(Number(part));
      schema = element;
      continue;
    }
    const found = Object.entries(shapeOf(schema) ?? {}).find(([key]) => key.toLowerCase() === wanted);
    if (!found) return undefined;
    path.push(found[0]);
    schema = found[1];
  }
  return path.length === 0 ? undefined : { path, schema };
}

/** The text as the schema wants it: as it is, else as number or boolean, else as it is for the schema to refuse. */
function toValue(schema: z.core.$ZodType, text: string): unknown {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodArray && !/^\s*[[{-]/.test(text)) {
    const entries = text.split(",").map((entry) => entry.trim());
    return entries.filter((entry) => entry !== "").map((entry) => toValue(inner.element, entry));
  }
  if (inner instanceof z.ZodArray || inner instanceof z.ZodTuple || inner instanceof z.ZodObject) {
    const list = inner instanceof z.ZodTuple && !text.trim().startsWith("[") ? `[${text}]` : text;
    return yamlOr(list);
  }
  const candidates: unknown[] = [text];
  if (/^-?\d+(\.\d+)?$/.test(text)) candidates.push(Number(text));
  if (/^(true|false)$/i.test(text)) candidates.push(text.toLowerCase() === "true");
  return candidates.find((candidate) => z.core.safeParse(inner, candidate).success) ?? text;
}

function yamlOr(text: string): unknown {
  try {
    const value: unknown = parse(text, { maxAliasCount: 0 });
    return value;
  } catch {
    return text;
  }
}

/** Puts a value into the tree, making maps and lists on the way; false where something else stands in the way. */
function place(tree: unknown, path: Path, value: unknown): boolean {
  let node = tree;
  for (const [index, part] of path.entries()) {
    if (typeof node !== "object" || node === null) return false;
    if (Array.isArray(node) !== (typeof part === "number")) return false;
    if (Array.isArray(node) && Number(part) > node.length) return false;
    const holder = node as Record<string | number, unknown>;
    if (index === path.length - 1) holder[part] = value;
    else holder[part] ??= typeof path[index + 1] === "number" ? [] : {};
    node = holder[part];
  }
  return true;
}
