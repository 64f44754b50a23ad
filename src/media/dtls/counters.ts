/** Counts by cause. Causes are few and fixed, so the record stays small. */
export class Counters {
  readonly #counts: Record<string, number> = {};

  add(cause: string): void {
    this.#counts[cause] = (this.#counts[cause] ?? 0) + 1;
  }

  /** The live record: read it, do not keep it. */
  get all(): Readonly<Record<string, number>> {
    return this.#counts;
  }
}
