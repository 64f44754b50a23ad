/** Counts of something by cause; the set of causes is small and fixed in the code that counts. */
export class Counters {
  readonly #counts: Record<string, number> = {};

  add(cause: string, count = 1): void {
    this.#counts[cause] = (this.#counts[cause] ?? 0) + count;
  }

  /** The live record: read it, do not keep it. */
  get all(): Readonly<Record<string, number>> {
    return this.#counts;
  }

  /** A copy that can cross threads, together with the counts of `other`. */
  with(other: Readonly<Record<string, number>>): Record<string, number> {
    const copy = { ...this.#counts };
    for (const [cause, count] of Object.entries(other)) copy[cause] = (copy[cause] ?? 0) + count;
    return copy;
  }
}
