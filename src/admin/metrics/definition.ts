import type { HistogramCounts } from "../../core/index.ts";

/** One metric family, as Prometheus names and types it. */
export interface MetricDefinition {
  /** Base units (seconds, bytes, ratio) at its end, `_total` behind a counter's. */
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** Names of labels with few, known values; never a DN, a call or somebody's address. */
  readonly labels: readonly string[];
  /** What it tells, one sentence. */
  readonly help: string;
}

/** Families that stand together in docs/metrics.md, by a name for the code. */
export type MetricDefinitions = Readonly<Record<string, MetricDefinition>>;

/** Gives one value to a scrape; `undefined` (not known) leaves it out. */
export type Put = (
  metric: MetricDefinition,
  value: number | HistogramCounts | undefined,
  labels?: Readonly<Record<string, string>>,
) => void;

/** Reads figures where they are kept. Called once a scrape; what it throws is logged, and costs its own figures alone. */
export type Collect = (put: Put) => void | Promise<void>;

const prefix = "jackfield_";

export function counter(name: string, help: string, labels: readonly string[] = []): MetricDefinition {
  return { name: `${prefix}${name}_total`, type: "counter", labels, help };
}

export function gauge(name: string, help: string, labels: readonly string[] = []): MetricDefinition {
  return { name: `${prefix}${name}`, type: "gauge", labels, help };
}

export function histogram(name: string, help: string, labels: readonly string[] = []): MetricDefinition {
  return { name: `${prefix}${name}`, type: "histogram", labels, help };
}

/** Counts of another unit in the base unit, e.g. ms in seconds by 1000. */
export function divided({ bounds, counts, count, sum }: HistogramCounts, by: number): HistogramCounts {
  return { bounds: bounds.map((bound) => bound / by), counts, count, sum: sum / by };
}

/** All numbers of a record of counters, by name as a label value: `closedForRate` becomes `closed_for_rate`. */
export function putEach(
  put: Put,
  metric: MetricDefinition,
  counts: Readonly<Record<string, number>>,
  label: string,
  others: Readonly<Record<string, string>> = {},
): void {
  for (const [name, count] of Object.entries(counts)) put(metric, count, { ...others, [label]: words(name) });
}

function words(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replaceAll("-", "_");
}
