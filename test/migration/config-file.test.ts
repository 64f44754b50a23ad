import { describe, expect, it } from "vitest";
import { parseConfigFile, type ReadIncluded } from "../../src/migration/config-file.ts";
import { limits } from "../../src/migration/limits.ts";

const nothing: ReadIncluded = () => ({ reason: "does not exist" });

function parse(text: string, files: Readonly<Record<string, string>> = {}) {
  return parseConfigFile({ name: "a.conf", text }, (name) =>
    Object.hasOwn(files, name) ? [{ name, text: files[name] ?? "" }] : { reason: "does not exist" },
  );
}

/** `name: key=value,...` of each section. */
function told(text: string, files: Readonly<Record<string, string>> = {}): string[] {
  return parse(text, files).sections.map(
    ({ name, settings }) => `${name}: ${settings.map(({ key, value }) => `${key}=${value}`).join(",")}`,
  );
}

function problems(text: string, files: Readonly<Record<string, string>> = {}): string[] {
  return parse(text, files).problems.map(({ at, text: words }) => `${at.file}:${at.line} ${words}`);
}

describe("Asterisk's configuration format", () => {
  it.each([
    ["both signs, blanks and case of keys", "[a]\nType = x\n b=>y = z ", ["a: type=x,b=y = z"]],
    ["comments and an escaped semicolon", "[a] ; c\nk = 1\\;2 ; c\n;k = 3", ["a: k=1;2"]],
    [
      "block comments, nested, and ;--- that is none",
      "[a]\nk=1 ;-- x\nk=2\n;-- y --;\nk=3\n--; l=4\n;--- c\nm=5",
      ["a: k=1,l=4,m=5"],
    ],
    [
      "a template before the section's own lines",
      "[t](!)\nk=1\nl=1\n[a](t)\nk=2",
      ["t: k=1,l=1", "a: k=1,l=1,k=2"],
    ],
    [
      "several templates, in any case",
      "[T1](!)\nk=1\n[t2](!)\nl=2\n[a](t1, T2)",
      ["T1: k=1", "t2: l=2", "a: k=1,l=2"],
    ],
    ["an addition to the section before", "[a]\nk=1\n[b]\n[a](+)\nl=2", ["a: k=1,l=2", "b: "]],
    [
      "sections of one name side by side",
      "[a]\ntype=endpoint\n[a]\ntype=aor",
      ["a: type=endpoint", "a: type=aor"],
    ],
    ["+= behind what a template gave", "[t](!)\nk=1\n[a](t)\nk+=2", ["t: k=1", "a: k=1,k=12"]],
  ])("has %s", (_what, text, expected) => {
    expect(told(text)).toEqual(expected);
  });

  it("reads included files in their place, and goes on with the section of before", () => {
    expect(told('[a]\n#include "b.conf"\nm=3', { "b.conf": "l=2\n[b]\n" })).toEqual(["a: l=2", "b: m=3"]);
    expect(parse("#include <b.conf>", { "b.conf": "\n[b]" }).sections[0]?.at).toEqual({
      file: "b.conf",
      line: 2,
    });
  });

  it("tells of what it cannot read with file and line, never with the text of the line", () => {
    expect(
      problems("secret\n[\n[a](none)\n= secret\n#include x.conf\n#tryinclude x.conf\n#exec secret\n;-- open"),
    ).toEqual([
      "a.conf:1 is neither [section] nor key = value",
      "a.conf:2 has no name between [ and ]",
      "a.conf:3 asks for the template none, which does not stand above it",
      "a.conf:4 is neither [section] nor key = value",
      "a.conf:5 includes x.conf, which does not exist",
      "a.conf:7 #exec is never run: run it yourself and put what it prints in its place",
      "a.conf:8 a comment begins here with ;-- and never ends with --;",
    ]);
  });

  it("ends circles of includes", () => {
    const { problems: found } = parseConfigFile(
      { name: "a.conf", text: "#include a.conf\n#include a.conf" },
      () => [{ name: "a.conf", text: "#include a.conf\n#include a.conf" }],
    );
    expect(found.length).toBeLessThanOrEqual(limits.problems + 1);
    expect(found[0]?.text).toContain("in a circle");
  });

  it("is not filled up by templates that double each other", () => {
    const lines = [
      "[t0](!)",
      "k=1",
      ...Array.from({ length: 60 }, (_, index) => `[t${index + 1}](!,t${index},t${index})`),
    ];
    const { sections, problems: found } = parse(lines.join("\n"));
    expect(sections.reduce((sum, { settings }) => sum + settings.length, 0)).toBeLessThanOrEqual(
      limits.settings,
    );
    expect(found.at(-1)?.text).toContain("too many settings");
  });

  it("does not look through a long section for each of very many additions", () => {
    const lines = (count: number, line: (index: number) => string) =>
      Array.from({ length: count }, (_, index) => line(index));
    const text = ["[a]", ...lines(50_000, (index) => `k${index}=1`), ...lines(50_000, () => "l+=1")];
    const { sections, problems: found } = parse(text.join("\n"));
    expect(sections[0]?.settings).toHaveLength(50_000 + limits.additions);
    expect(found[0]?.text).toContain("too many additions");
  });

  it.each([
    ["a line of a megabyte", `[a]\nk=${"x".repeat(1_000_000)}\nl=1`, "a: l=1"],
    ["blanks without end", `[a]\n${" ".repeat(8000)}x${" ".repeat(100)}y\nl=1`, "a: l=1"],
    ["comment marks without end", `[a]\n${";--".repeat(2500)}\n${"--;".repeat(2500)}l=1`, "a: l=1"],
  ])("takes %s in its stride", (_what, text, expected) => {
    const began = performance.now();
    expect(told(text)).toEqual([expected]);
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it("reads no binary file, and no more lines and sections than its limits", () => {
    expect(parseConfigFile({ name: "a", text: "[a]\n\0" }, nothing)).toMatchObject({
      sections: [],
      problems: [{ text: "not read: this is no text file" }],
    });
    const many = parse("[a]\n".repeat(limits.lines + 5));
    expect(many.sections).toHaveLength(limits.sections);
    expect(many.problems).toHaveLength(limits.problems + 1);
  });
});
