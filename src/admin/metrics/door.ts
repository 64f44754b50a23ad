import type { Collect } from "./definition.ts";

/**
 * Where rooms hand their figures in. A new metric is defined in `groups/` (a new file is named in `groups.ts`: from there
 * docs/metrics.md is made), and read by what is given to `add`:
 *
 *     rooms.metrics.add((put) => put(recordMetrics.queued, queue.length));
 *
 * It may be called at any time, whether metrics are on or not; nothing runs but at a scrape.
 */
export class MetricsDoor {
  readonly #collectors = new Set<Collect>();

  /** The returned function takes it away. */
  add(collect: Collect): () => void {
    this.#collectors.add(collect);
    return () => this.#collectors.delete(collect);
  }

  get all(): readonly Collect[] {
    return Array.from(this.#collectors);
  }
}
