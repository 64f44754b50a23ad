import { afterEvents } from "../../core/index.ts";

/** Turns of the event loop begin at least so far apart while packets come, ms. */
const turnMs = 1;

const cell = new Int32Array(new SharedArrayBuffer(4));

/** What the rest hangs on; tests give their own. */
export interface RestOptions {
  /** Monotonic, ms. */
  readonly now: () => number;
  readonly afterEvents?: (callback: () => void) => void;
  /** Holds the whole thread up, ms. */
  readonly sleep?: (ms: number) => void;
}

/**
 * Lets packets gather: after a turn of the event loop in which packets came, the thread sleeps until 1 ms after the
 * turn's beginning. Being woken for every packet by itself costs more than relaying it (docs/decisions/0006).
 * A packet after a silence is read at once, one in a stream of many up to 1 ms later; a thread whose turns take longer
 * than that never sleeps here.
 */
export class Rest {
  readonly #now: () => number;
  readonly #afterEvents: (callback: () => void) => void;
  readonly #sleep: (ms: number) => void;
  #due = false;
  #turnBegan = -turnMs;

  constructor(options: RestOptions) {
    this.#now = options.now;
    this.#afterEvents = options.afterEvents ?? afterEvents;
    // Nobody ever wakes the cell: only time does.
    this.#sleep = options.sleep ?? ((ms) => void Atomics.wait(cell, 0, 0, ms));
  }

  /** To be called for each packet read; cheap. */
  readonly packetRead = (): void => {
    if (this.#due) return;
    this.#due = true;
    this.#afterEvents(this.#rest);
  };

  readonly #rest = (): void => {
    this.#due = false;
    const left = this.#turnBegan + turnMs - this.#now();
    if (left > 0) this.#sleep(left);
    this.#turnBegan = this.#now();
  };
}
