/** Values counted by bucket, as metrics have them. */
export interface HistogramCounts {
  /** Upper bounds of the buckets, rising. */
  readonly bounds: readonly number[];
  /** Values in each bucket, not cumulative; those beyond the last bound are in none. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
}

/** Counts values by the bucket they fall into. */
export class Histogram {
  readonly bounds: readonly number[];
  readonly #counts: number[];
  #count = 0;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  note(value: number): void {
    const bucket = this.bounds.findIndex((bound) => value <= bound);
    if (bucket >= 0) this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count++;
    this.#sum += value;
  }

  /** A copy. */
  get counted(): HistogramCounts {
    return { bounds: this.bounds, counts: [...this.#counts], count: this.#count, sum: this.#sum };
  }
}
