/** Turns of the event loop begin at least so far apart while packets come, ms. */
const turnMs = 1;

/**
 * Lets packets gather: after a turn of the event loop in which packets came, the thread sleeps until 1 ms after the
 * turn's beginning. Being woken for every packet by itself costs more than relaying it (measured: docs/decisions/0006).
 * A packet after a silence is read at once, one in a stream of many up to 1 ms later; a thread whose turns take longer
 * than that never sleeps here.
 */
export class Rest {
  readonly #cell = new Int32Array(new SharedArrayBuffer(4));
  readonly #now: () => number;
  #due = false;
  #turnBegan = 0;

  /** `now`: monotonic, ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** To be called for each packet read; cheap. */
  readonly packetRead = (): void => {
    if (this.#due) return;
    this.#due = true;
    setImmediate(this.#sleep);
  };

  readonly #sleep = (): void => {
    this.#due = false;
    const left = this.#turnBegan + turnMs - this.#now();
    // Nobody ever wakes the cell: only time does.
    if (left > 0) Atomics.wait(this.#cell, 0, 0, left);
    this.#turnBegan = this.#now();
  };
}
