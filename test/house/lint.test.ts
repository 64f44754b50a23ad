import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isRecord, root } from "./support/files.ts";

/** The repository's own lint configuration, but for the line that hides the fixtures from `npm run lint`. */
let folder: string;
let config: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "jackfield-lint-"));
  config = join(folder, "oxlintrc.json");
  const own: unknown = JSON.parse(readFileSync(join(root, ".oxlintrc.json"), "utf8"));
  if (!isRecord(own)) throw new Error(".oxlintrc.json is not an object");
  writeFileSync(config, JSON.stringify({ ...own, $schema: undefined, ignorePatterns: [] }));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Rules broken by fixtures, as oxlint names them, e.g. `typescript-eslint(no-floating-promises)`. */
function brokenRules(...fixtures: string[]): string[] {
  const files = fixtures.map((name) => join("test", "house", "fixtures", name));
  const oxlint = join(root, "node_modules", ".bin", "oxlint");
  const run = spawnSync(oxlint, ["--type-aware", "--format=json", "-c", config, ...files], {
    cwd: root,
    encoding: "utf8",
  });
  const report: unknown = JSON.parse(run.stdout);
  if (!isRecord(report) || !Array.isArray(report["diagnostics"]))
    throw new Error(`oxlint said: ${run.stdout}`);
  if (report["number_of_files"] !== fixtures.length) throw new Error(`not all linted: ${run.stdout}`);
  return report["diagnostics"].map((one: unknown) => (isRecord(one) ? String(one["code"]) : ""));
}

describe("lint", () => {
  it("finds a promise that nobody awaits, so the typed rules run", () => {
    expect(brokenRules("floating-promise.ts")).toEqual(["typescript(no-floating-promises)"]);
  });

  it("passes the same code with the promise awaited", () => {
    expect(brokenRules("awaited-promise.ts")).toEqual([]);
  });

  it("finds a circular import", () => {
    expect(brokenRules("cycle-a.ts", "cycle-b.ts")).toContain("import(no-cycle)");
  });
});
