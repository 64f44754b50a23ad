import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, it } from "vitest";
import { configurationReference } from "../../src/config/index.ts";
import { root } from "./support/files.ts";

/** What people read: the guides, README and changelog. */
function pages(): { readonly file: string; readonly text: string }[] {
  const docs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(root, "docs", name));
  return [join(root, "README.md"), join(root, "CHANGELOG.md"), ...docs].map((file) => ({
    file,
    text: readFileSync(file, "utf8"),
  }));
}

it("docs/configuration.md is what the schema says", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/configuration.md"), "utf8");
  const remedy = "made anew by: node src/config/reference.ts > docs/configuration.md";
  expect(
    page === configurationReference(),
    `docs/configuration.md differs from src/config/schema.ts; ${remedy}`,
  ).toBe(true);
});

it("every key has a meaning and a unit or value", () => {
  const rows = configurationReference()
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  expect(rows.length).toBeGreaterThan(50);
  for (const row of rows)
    for (const cell of row.split(/(?<!\\)\|/).slice(1, 5)) expect(cell.trim(), row).not.toBe("");
});

it("every key that a page names is there", () => {
  const keys = new Set<string>();
  for (const [, key = ""] of configurationReference().matchAll(/^\| `([\w.[\]]+)`/gm)) {
    const parts = key.replaceAll("[]", "").split(".");
    for (let length = 1; length <= parts.length; length++) keys.add(parts.slice(0, length).join("."));
  }
  expect(keys.size).toBeGreaterThan(200);
  const unknown = pages().flatMap(({ file, text }) =>
    [...text.matchAll(/`([a-z]\w*(?:\[\])?(?:\.\w+(?:\[\])?)+)(?::[^`]*)?`/g)]
      .map(([, key = ""]) => key.replaceAll("[]", ""))
      // Of other programs: files, hosts, parameters of SIP's.
      .filter((key) => !/\.(?:conf|com|js|json|md|ts|yaml|instance)$/.test(key))
      .filter((key) => keys.has(key.split(".")[0] ?? "") && !keys.has(key))
      .map((key) => `${relative(root, file)}: ${key}`),
  );
  expect(unknown).toEqual([]);
});

it("every file and heading that a page leads to is there", () => {
  const all = pages();
  const headings = new Map(
    all.map(({ file, text }) => [
      file,
      new Set([...text.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) => anchorOf(title))),
    ]),
  );
  const broken = all.flatMap(({ file, text }) =>
    [...text.matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
      .filter(([, path = "", anchor]) => {
        const target = path === "" ? file : join(dirname(file), path);
        return !existsSync(target) || (anchor !== undefined && !headings.get(target)?.has(anchor));
      })
      .map(([link]) => `${relative(root, file)}: ${link}`),
  );
  expect(broken).toEqual([]);
});

/** As GitHub makes it. */
function anchorOf(title: string): string {
  return title
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, "")
    .replaceAll(" ", "-");
}
