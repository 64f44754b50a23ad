import {
  collectDefaultMetrics,
  Counter,
  Gauge,
  Histogram,
  Registry,
  type HistogramConfiguration,
} from "prom-client";
import type { HistogramCounts } from "../../core/index.ts";
import type { MetricDefinition } from "./definition.ts";

type Labels = Readonly<Record<string, string>>;

/** A histogram whose buckets are counted elsewhere. */
class CountedHistogram extends Histogram {
  readonly #family: { readonly name: string; readonly help: string };
  #told: { readonly labels: Labels; readonly counts: HistogramCounts }[] = [];

  constructor(options: HistogramConfiguration<string>) {
    super(options);
    this.#family = options;
  }

  put(labels: Labels, counts: HistogramCounts): void {
    this.#told.push({ labels, counts });
  }

  forget(): void {
    this.#told = [];
  }

  /** What the registry asks a histogram for. */
  getForPromString() {
    const { name, help } = this.#family;
    return { name, help, type: "histogram", values: this.#told.flatMap((told) => samplesOf(name, told)) };
  }
}

function samplesOf(
  name: string,
  { labels, counts: { bounds, counts, count, sum } }: { labels: Labels; counts: HistogramCounts },
) {
  let below = 0;
  const buckets = bounds.map((bound, index) => {
    below += counts[index] ?? 0;
    return { metricName: `${name}_bucket`, labels: { le: bound, ...labels }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${name}_bucket`, labels: { le: "+Inf", ...labels }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}

type Family = Counter | Gauge | CountedHistogram;

/** The values of one scrape, and their text. */
export class Values {
  readonly #registry = new Registry();
  readonly #families = new Map<MetricDefinition, Family>();

  constructor(definitions: readonly MetricDefinition[]) {
    for (const definition of definitions) {
      const { name, help, labels } = definition;
      const options = { name, help, labelNames: [...labels], registers: [this.#registry] };
      const family =
        definition.type === "counter"
          ? new Counter(options)
          : definition.type === "gauge"
            ? new Gauge(options)
            : new CountedHistogram(options);
      this.#families.set(definition, family);
    }
    this.clear();
  }

  /** @throws Error of a metric that is not known, a value or a label that is not its own. */
  put(definition: MetricDefinition, value: number | HistogramCounts, labels: Labels): void {
    const family = this.#families.get(definition);
    if (!family) throw new Error(`${definition.name} is not named in groups.ts`);
    if (Object.keys(labels).length !== definition.labels.length)
      throw new Error(`${definition.name} has the labels ${definition.labels.join(", ")}`);
    if (family instanceof CountedHistogram) {
      if (typeof value === "number") throw new Error(`${definition.name} is a histogram`);
      family.put(labels, value);
    } else if (typeof value === "number") family.inc(labels, value);
    else throw new Error(`${definition.name} is no histogram`);
  }

  /** Forgets all values; one without labels is then left out too, and not 0. */
  clear(): void {
    for (const [{ labels }, family] of this.#families) {
      if (family instanceof CountedHistogram) {
        family.forget();
        continue;
      }
      family.reset();
      if (labels.length === 0) family.remove();
    }
  }

  /** Prometheus text format 0.0.4, those of the process behind. */
  async text(): Promise<string> {
    return `${await this.#registry.metrics()}\n${await processRegistry().metrics()}`;
  }
}

export const contentType = Registry.PROMETHEUS_CONTENT_TYPE;

/** Gauges named as counters; the same without `_total` tells as much. */
const againstConvention = ["handles", "requests", "resources"].map((what) => `nodejs_active_${what}_total`);

let ofProcess: Registry | undefined;

/** CPU, memory, files, event loop and garbage collection of the process, however many gateways run in it. */
export function processRegistry(): Registry {
  if (!ofProcess) {
    collectDefaultMetrics({ register: (ofProcess = new Registry()) });
    for (const name of againstConvention) ofProcess.removeSingleMetric(name);
  }
  return ofProcess;
}
