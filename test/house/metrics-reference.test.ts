import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { allMetrics } from "../../src/admin/metrics/groups.ts";
import { withReference } from "../../src/admin/metrics/reference.ts";

it("docs/metrics.md is what the definitions say", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/metrics.md"), "utf8");
  expect(page === withReference(page), "made anew by: node src/admin/metrics/reference.ts").toBe(true);
});

it("metrics are named as Prometheus has it, once each, and say what they mean", () => {
  const names = allMetrics.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, type, help } of allMetrics) {
    expect(name).toMatch(/^jackfield_[a-z][a-z0-9_]*$/);
    expect(name.endsWith("_total"), name).toBe(type === "counter");
    expect(name, "base units").not.toMatch(/_(ms|milliseconds|percent|kilobytes)(_|$)/);
    expect(help, name).toMatch(/\.$/);
  }
});

it("no label can hold a DN, a call or somebody's address", () => {
  const known = new Set(allMetrics.flatMap(({ labels }) => labels));
  const bounded =
    "cause certificate direction ended_by event exporter fault kind node outcome reason role server side sink socket state step version way worker";
  expect(Array.from(known).sort()).toEqual(bounded.split(" "));
});
