import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from "yaml";
import type { ConfigFault } from "./faults.ts";
import type { Path } from "./walk.ts";

export interface YamlTree {
  readonly tree: unknown;
  /** `line 12` of the value, or of the nearest key above it. */
  readonly locate: (path: Path) => string | undefined;
}

/** Reads YAML text. Faults never quote the text, which has secrets in it. */
export function parseYamlText(text: string): YamlTree | { faults: ConfigFault[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0)
    return {
      faults: document.errors.map((error) => ({
        ...fileFault(`is no YAML: ${error.code.toLowerCase().replaceAll("_", " ")}`, "correct that line"),
        where: `line ${lines.linePos(error.pos[0]).line}`,
      })),
    };
  visit(document, {
    // `0500` would be the number 500: DNs keep their leading zeros.
    Scalar(_key, node) {
      if (typeof node.value === "number" && node.source !== undefined && /^0\d/.test(node.source))
        node.value = node.source;
    },
  });
  try {
    return {
      tree: document.toJS({ maxAliasCount: 100 }) ?? {},
      locate: (path) => lineOf(document.contents, path, lines),
    };
  } catch {
    return { faults: [fileFault("has aliases that cannot be resolved", "write the values out")] };
  }
}

export function fileFault(reason: string, remedy: string): ConfigFault {
  return { key: "file", value: "", reason, remedy };
}

function lineOf(root: unknown, path: Path, lines: LineCounter): string | undefined {
  let node = root;
  let offset: number | undefined;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === part);
      if (!pair) break;
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof part === "number") {
      node = node.items[part];
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    } else break;
    if (isAlias(node)) break;
  }
  return offset === undefined ? undefined : `line ${lines.linePos(offset).line}`;
}
