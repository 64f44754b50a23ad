import { metricGroups } from "./groups.ts";
import type { MetricDefinition } from "./definition.ts";
import { processRegistry } from "./registry.ts";

const begin = "<!-- Made from src/admin/metrics/groups by: node src/admin/metrics/reference.ts -->";

/** The tables of docs/metrics.md, behind the part that is written by hand. */
function metricsReference(): string {
  const parts = metricGroups.map(
    ({ title, metrics }) => `### ${title}\n\n${table(Object.values(metrics).map(rowOf))}`,
  );
  const ofProcess = processRegistry()
    .getMetricsAsArray()
    .map(({ name, help }) => [`\`${name}\``, help]);
  return `${[
    begin,
    ...parts,
    "### The process\n\nAs every Node program has them (prom-client).",
    table(ofProcess, ["Name", "Meaning"]),
  ].join("\n\n")}\n`;
}

/** The whole page: `page` with its tables made anew. */
export function withReference(page: string): string {
  const [head = ""] = page.split(begin);
  return head + metricsReference();
}

function rowOf({ name, type, labels, help }: MetricDefinition): string[] {
  const names = labels.map((label) => `\`${label}\``).join(", ");
  return [`\`${name}\``, type, names === "" ? "none" : names, unitOf(name), help];
}

/** By Prometheus' convention the unit is the name's last word. */
function unitOf(name: string): string {
  const base = name.replace(/_total$/, "");
  for (const unit of ["seconds", "bytes", "ratio"]) if (base.endsWith(`_${unit}`)) return unit;
  if (base.endsWith("_mos")) return "1 to 4.5";
  return base.endsWith("_days_left") ? "days" : "number";
}

/** A Markdown table with columns padded, as the formatter would leave it. */
function table(
  rows: readonly (readonly string[])[],
  head: readonly string[] = ["Name", "Type", "Labels", "Unit", "Meaning"],
): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, 3, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

if (import.meta.main) {
  const { readFileSync, writeFileSync } = await import("node:fs");
  const page = new URL("../../../docs/metrics.md", import.meta.url);
  writeFileSync(page, withReference(readFileSync(page, "utf8")));
}
