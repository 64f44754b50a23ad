import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
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

/** Rules broken by each fixture, as oxlint names them, e.g. `typescript-eslint(no-floating-promises)`. */
function lint(fixtures: readonly string[]): Map<string, string[]> {
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
  const broken = new Map(fixtures.map((name): [string, string[]] => [name, []]));
  for (const one of report["diagnostics"] as unknown[]) {
    if (!isRecord(one)) continue;
    broken.get(basename(String(one["filename"])))?.push(String(one["code"]));
  }
  return broken;
}

describe("lint", () => {
  // The typed rules read the whole repository: once for all, and it may take its time.
  it("finds what nobody awaits, so the typed rules run, and circular imports, and nothing else", () => {
    const broken = lint(["floating-promise.ts", "awaited-promise.ts", "cycle-a.ts", "cycle-b.ts"]);
    expect(broken.get("floating-promise.ts")).toEqual(["typescript(no-floating-promises)"]);
    expect(broken.get("awaited-promise.ts")).toEqual([]);
    expect([broken.get("cycle-a.ts"), broken.get("cycle-b.ts")].flat()).toContain("import(no-cycle)");
  }, 120_000);
});
