import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "./support/files.ts";

/** One line of the list with the lines that belong to it. */
interface Item {
  readonly section: string;
  readonly done: boolean;
  readonly text: string;
  readonly tests: readonly (readonly [file: string, title: string])[];
}

function readItems(page: string): Item[] {
  let section = "";
  return page
    .replace(/^## (\d+)\./gm, "- [$1] ")
    .split(/^- \[/m)
    .flatMap((part) => {
      const mark = part.slice(0, part.indexOf("]"));
      if (/^\d+$/.test(mark)) section = mark;
      if (mark !== "x" && mark !== " ") return [];
      const text = part.slice(mark.length + 1).split(/^#/m, 1)[0] ?? "";
      const tests = Array.from(
        text.matchAll(/^ {2}- `(test\/[^`]+\.test\.ts)`: "(.+)"$/gm),
        ([, file = "", title = ""]) => [file, title] as const,
      );
      return [{ section, done: mark === "x", text: text.trim(), tests }];
    });
}

/** What stands first in the parentheses of a call: titles of tests and groups, and little else. */
function titlesOf(file: string): string[] {
  const path = join(root, file);
  if (!existsSync(path)) return [];
  return Array.from(
    readFileSync(path, "utf8").matchAll(/\(\s*(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`)\s*,/g),
    ([, quoted, template]) => quoted ?? template ?? "",
  );
}

const items = readItems(readFileSync(join(root, "docs/sip-server.md"), "utf8"));

it("docs/sip-server.md has every section of the list, and no line that is not understood", () => {
  const perSection = Map.groupBy(items, ({ section }) => section);
  const counts = Array.from(perSection, ([section, of]) => [section, of.length]);
  expect(counts.map(([section]) => section)).toEqual(Array.from({ length: 11 }, (_none, at) => `${at + 3}`));
  expect(items.filter(({ section }) => section === "13")).toHaveLength(15);
  expect(items.length).toBeGreaterThan(110);
  for (const { text, tests } of items)
    expect(text.split("\n").slice(1).filter(Boolean), text).toHaveLength(tests.length);
});

it("each line of docs/sip-server.md names a test, or why it is left out", () => {
  const bare = items.filter(({ done, text, tests }) =>
    done ? tests.length === 0 : !/left out: \S/.test(text) || tests.length > 0,
  );
  expect(bare.map(({ text }) => text)).toEqual([]);
});

it("each test named in docs/sip-server.md is there under that title", () => {
  const files = new Map<string, string[]>();
  const missing = items
    .flatMap(({ tests }) => tests)
    .filter(([file, title]) => {
      const titles = files.get(file) ?? titlesOf(file);
      files.set(file, titles);
      return !titles.some((one) => one.includes(title));
    });
  expect(missing.map(([file, title]) => `${file}: ${title}`)).toEqual([]);
});
