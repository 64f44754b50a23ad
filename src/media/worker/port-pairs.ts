/** The even/odd port pairs of one worker. Used ones rest a while; the longest unused is taken first. */
export class PortPairs {
  readonly #free: { readonly port: number; readonly freeAt: number }[] = [];
  readonly #restMs: number;

  /** `first` even, `last` odd, both included. */
  constructor(first: number, last: number, restMs: number) {
    this.#restMs = restMs;
    for (let port = first; port + 1 <= last; port += 2) this.#free.push({ port, freeAt: -Infinity });
  }

  /** Pairs not in use, rested or not. */
  get free(): number {
    return this.#free.length;
  }

  /** Even port of a rested pair; undefined when there is none. */
  take(now: number): number | undefined {
    const oldest = this.#free[0];
    if (!oldest || oldest.freeAt > now) return undefined;
    this.#free.shift();
    return oldest.port;
  }

  give(port: number, now: number): void {
    this.#free.push({ port, freeAt: now + this.#restMs });
  }
}
