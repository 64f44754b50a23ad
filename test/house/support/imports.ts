import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path/posix";
import { parseSync } from "vite";
import { isRecord, root } from "./files.ts";

/** How a file names another: `import`/`export from` (also of types), `import()`, or `new URL(..., import.meta.url)`. */
export type ImportKind = "static" | "dynamic" | "url";

export interface Import {
  /** As written, e.g. `../core/index.ts` or `ws`. */
  readonly specifier: string;
  readonly kind: ImportKind;
}

function literal(node: unknown): string | undefined {
  return isRecord(node) && node["type"] === "Literal" && typeof node["value"] === "string"
    ? node["value"]
    : undefined;
}

function importOf(node: Record<string, unknown>): Import | undefined {
  const written = (source: unknown, kind: ImportKind): Import | undefined => {
    const specifier = literal(source);
    return specifier === undefined ? undefined : { specifier, kind };
  };
  switch (node["type"]) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
    case "TSImportType":
      return written(node["source"], "static");
    case "ImportExpression":
      return written(node["source"], "dynamic");
    case "NewExpression": {
      const callee = node["callee"];
      const args = node["arguments"];
      if (!isRecord(callee) || callee["name"] !== "URL" || !Array.isArray(args)) return undefined;
      return args.length === 2 ? written(args[0], "url") : undefined;
    }
    default:
      return undefined;
  }
}

/** All imports a TypeScript text names, type imports included. Throws when it does not parse. */
export function importsOf(name: string, text: string): Import[] {
  const parsed = parseSync(name, text, { lang: name.endsWith(".tsx") ? "tsx" : "ts", sourceType: "module" });
  if (parsed.errors.length > 0) throw new Error(`${name}: ${parsed.errors[0]?.message ?? "does not parse"}`);
  const found: Import[] = [];
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(walk);
    else if (isRecord(node)) {
      const one = importOf(node);
      if (one !== undefined) found.push(one);
      Object.values(node).forEach(walk);
    }
  };
  walk(parsed.program);
  return found;
}

/** Imports of a file of the repository. */
export function importsOfFile(file: string): Import[] {
  return importsOf(file, readFileSync(join(root, file), "utf8"));
}

/** Where a relative import leads, as a path from the root; undefined for a package or a `node:` module. */
export function target(file: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? normalize(join(dirname(file), specifier)) : undefined;
}

/** Package a bare import names (`@scope/name` or `name`), undefined for relative and `node:` imports. */
export function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith(".") || specifier.startsWith("node:")) return undefined;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Import circles in a graph, each once, as the list of its files from the alphabetically first on. */
export function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found = new Map<string, string[]>();
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const at = path.indexOf(file);
    if (at >= 0) {
      const circle = path.slice(at);
      const first = circle.indexOf([...circle].sort()[0] ?? file);
      const turned = [...circle.slice(first), ...circle.slice(0, first)];
      found.set(turned.join(" "), turned);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const next of graph.get(file) ?? []) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return [...found.values()];
}
