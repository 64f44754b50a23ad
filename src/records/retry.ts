import type { Clock, Random, Timer } from "../core/index.ts";

/** Pauses that grow: 1 s, 2 s, 4 s ... to `longestMs`, each shortened by chance to between its half and its whole. */
export class Retry {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #longestMs: number;
  #timer: Timer | undefined;
  /** Failures in a row. */
  failures = 0;

  constructor(clock: Clock, random: Random, longestMs: number) {
    this.#clock = clock;
    this.#random = random;
    this.#longestMs = longestMs;
  }

  get waits(): boolean {
    return this.#timer !== undefined;
  }

  /** Calls `again` after the next pause, of `leastMs` at least. */
  later(again: () => void, leastMs = 0): void {
    const pause = Math.min(this.#longestMs, 1000 * 2 ** Math.min(this.failures, 20));
    this.failures++;
    const delay = Math.max(leastMs, pause * (0.5 + this.#random.fraction() / 2));
    this.cancel();
    this.#timer = this.#clock.setTimer(delay, () => {
      this.#timer = undefined;
      again();
    });
  }

  /** It went well: the next pause is the shortest. */
  reset(): void {
    this.failures = 0;
    this.cancel();
  }

  cancel(): void {
    this.#timer?.clear();
    this.#timer = undefined;
  }
}
