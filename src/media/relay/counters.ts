/** Counts of something by cause; the set of causes is small and fixed in the code that counts. */
export class Counters {
  readonly #counts = new Map<string, number>();

  add(cause: string, count = 1): void {
    this.#counts.set(cause, (this.#counts.get(cause) ?? 0) + count);
  }

  get(cause: string): number {
    return this.#counts.get(cause) ?? 0;
  }

  /** A plain copy that can cross threads, together with the counts of `others`. */
  snapshot(...others: readonly Readonly<Record<string, number>>[]): Record<string, number> {
    const copy: Record<string, number> = Object.fromEntries(this.#counts);
    for (const other of others)
      for (const [cause, count] of Object.entries(other)) copy[cause] = (copy[cause] ?? 0) + count;
    return copy;
  }
}
