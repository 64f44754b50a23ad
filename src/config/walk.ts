import { z } from "zod";
import { keyFacts, type KeyFacts } from "./keys.ts";

export type Path = readonly (string | number)[];

/** `agents.accounts[0].dn` */
export function pathText(path: Path): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text;
}

/** The schema under defaults and optionality. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema;
  while (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault || inner instanceof z.ZodOptional)
    inner = inner.def.innerType;
  return inner;
}

/** Keys of a map schema; undefined for any other. */
export function shapeOf(schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> | undefined {
  const inner = unwrap(schema);
  return inner instanceof z.ZodObject ? inner.shape : undefined;
}

/** Schema of a list's entries; undefined for any other. */
export function elementOf(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  const inner = unwrap(schema);
  return inner instanceof z.ZodArray ? inner.element : undefined;
}

/** The schema at a path, or undefined where it leads nowhere. */
export function schemaAt(root: z.core.$ZodType, path: Path): z.core.$ZodType | undefined {
  let schema: z.core.$ZodType | undefined = root;
  for (const part of path) {
    if (schema === undefined) return undefined;
    schema = typeof part === "number" ? elementOf(schema) : shapeOf(schema)?.[part];
  }
  return schema;
}

/** Facts of the key at a path, else those of the nearest key above it. */
export function factsAt(root: z.core.$ZodType, path: Path): KeyFacts | undefined {
  for (let length = path.length; length > 0; length--) {
    const schema = schemaAt(root, path.slice(0, length));
    const facts = schema && keyFacts.get(schema);
    if (facts) return facts;
  }
  return undefined;
}

/** Whatever stands at a path of a tree of maps and lists. */
export function valueAt(tree: unknown, path: Path): unknown {
  let value = tree;
  for (const part of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}
