import type { Clock, Logger } from "../../core/index.ts";
import type { Collect, Put } from "./definition.ts";
import type { MetricsDoor } from "./door.ts";
import { allMetrics, scrapeMetrics } from "./groups.ts";
import { Values } from "./registry.ts";

/** Who asks again within this time gets the same text, ms. */
const freshMs = 1000;
/** A figure that is not told within this time is left out, ms. */
const patienceMs = 2000;

/** Collects the text of `/metrics`: one scrape at a time, however many ask. */
export class Scrapes {
  readonly #door: Pick<MetricsDoor, "all">;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #values = new Values(allMetrics);
  #text: Promise<string> | undefined;
  #freshUntil = 0;
  #durationMs: number | undefined;
  #failures = 0;

  constructor(door: Pick<MetricsDoor, "all">, clock: Clock, log: Logger) {
    this.#door = door;
    this.#clock = clock;
    this.#log = log;
  }

  /** Never rejects for a figure that fails. */
  text(): Promise<string> {
    if (this.#text && this.#clock.now() < this.#freshUntil) return this.#text;
    this.#freshUntil = Infinity;
    this.#text = this.#scrape().finally(() => (this.#freshUntil = this.#clock.now() + freshMs));
    return this.#text;
  }

  async #scrape(): Promise<string> {
    const begun = this.#clock.now();
    this.#values.clear();
    let open = true;
    const put: Put = (metric, value, labels = {}) => {
      // What comes too late belongs to no scrape any more.
      if (open && value !== undefined) this.#values.put(metric, value, labels);
    };
    await Promise.all(this.#door.all.map((collect) => this.#collect(collect, put)));
    put(scrapeMetrics.failures, this.#failures);
    put(scrapeMetrics.duration, this.#durationMs === undefined ? undefined : this.#durationMs / 1000);
    open = false;
    const text = await this.#values.text();
    this.#durationMs = this.#clock.now() - begun;
    return text;
  }

  async #collect(collect: Collect, put: Put): Promise<void> {
    const told = Promise.withResolvers<void>();
    const patience = this.#clock.setTimer(patienceMs, () => told.reject(new Error("not told in time")));
    try {
      await Promise.race([collect(put), told.promise]);
    } catch (error) {
      this.#failures++;
      this.#log.warn({ err: error }, "a part of the metrics could not be collected");
    } finally {
      patience.clear();
    }
  }
}
