/** Middle value; of an even number the mean of the two in the middle. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const bucketMs = 0.01;
const buckets = 200_000;

/** Times of up to two seconds in buckets of 10 us, so that millions of them cost nothing; longer ones count as 2 s. */
export class TimeHistogram {
  readonly #counts = new Uint32Array(buckets);
  #size = 0;
  #max = 0;

  get size(): number {
    return this.#size;
  }

  add(ms: number): void {
    const bucket = Math.min(buckets - 1, Math.max(0, Math.floor(ms / bucketMs)));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#size++;
    if (ms > this.#max) this.#max = ms;
  }

  /** Takes another one's times in. */
  merge(other: TimeHistogram): void {
    for (let bucket = 0; bucket < buckets; bucket++)
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + (other.#counts[bucket] ?? 0);
    this.#size += other.#size;
    this.#max = Math.max(this.#max, other.#max);
  }

  /** Upper end of the bucket in which the share is reached; 0 when empty. */
  at(share: number): number {
    let left = Math.ceil(this.#size * share);
    for (let bucket = 0; bucket < buckets; bucket++) {
      left -= this.#counts[bucket] ?? 0;
      if (left <= 0 && this.#size > 0) return round((bucket + 1) * bucketMs);
    }
    return 0;
  }

  get percentiles(): Percentiles {
    return { p50: this.at(0.5), p99: this.at(0.99), max: round(this.#max) };
  }
}

/** Columns to text; the first column to the left, the others to the right. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const texts = rows.map((row) => row.map(String));
  const widths = (texts[0] ?? []).map((_, column) =>
    Math.max(...texts.map((row) => row[column]?.length ?? 0)),
  );
  return texts
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  "),
    )
    .join("\n");
}
