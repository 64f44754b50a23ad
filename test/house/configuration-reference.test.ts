import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { configurationReference } from "../../src/config/index.ts";
import { root } from "./support/files.ts";

it("docs/configuration.md is what the schema says", () => {
  const page = readFileSync(join(root, "docs/configuration.md"), "utf8");
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
