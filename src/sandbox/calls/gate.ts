/** One negotiation at a time: RFC 3264 4 allows a dialog no second offer while one is open. */
export class Gate {
  #taken = false;
  #opened = false;
  readonly #waiting: (() => void)[] = [];

  /** The function that frees the gate again, or undefined while it is taken. */
  tryAcquire(): (() => void) | undefined {
    if (this.#taken) return undefined;
    this.#taken = true;
    return this.#releaser();
  }

  /** Waits for its turn. */
  async acquire(): Promise<() => void> {
    if (this.#taken && !this.#opened) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#taken = true;
    return this.#releaser();
  }

  /** For good: nobody waits any more. */
  open(): void {
    this.#opened = true;
    for (const next of this.#waiting.splice(0)) next();
  }

  #releaser(): () => void {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      // The gate stays taken when it passes to the next in line, so that nobody slips in between.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#taken = false;
    };
  }
}
