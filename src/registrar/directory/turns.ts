/** Requests under way at a time. */
const atOnce = 16;

/** Lets a few do their work at a time, the others wait in order. */
export class Turns {
  #busy = 0;
  readonly #queue: (() => void)[] = [];

  async take<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#busy >= atOnce) await new Promise<void>((resolve) => void this.#queue.push(resolve));
    else this.#busy++;
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      // Who is next takes the place over.
      if (next) next();
      else this.#busy--;
    }
  }
}
