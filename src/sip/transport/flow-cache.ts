/** The flows used last, so that each datagram does not make a new object; the longest unused goes first. */
export class FlowCache<Flow> {
  readonly #limit: number;
  readonly #flows = new Map<string, Flow>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#flows.size;
  }

  /** The flow under `key`, made by `make` when it is not there. */
  take(key: string, make: () => Flow): Flow {
    const known = this.#flows.get(key);
    if (known) this.#flows.delete(key);
    const flow = known ?? make();
    this.#flows.set(key, flow);
    if (this.#flows.size > this.#limit) this.#dropOldest();
    return flow;
  }

  /** Empties the cache and returns what was in it. */
  drain(): Flow[] {
    const flows = Array.from(this.#flows.values());
    this.#flows.clear();
    return flows;
  }

  #dropOldest(): void {
    const oldest = this.#flows.keys().next();
    if (!oldest.done) this.#flows.delete(oldest.value);
  }
}
