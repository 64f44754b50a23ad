import type { Clock, Timer } from "../../core/index.ts";

/** A sign of life is asked for so often, ms. */
export const pulseMs = 5000;
/** So many beats in a row without one mean that the thread hangs; one alone may be the machine that slept. */
const missedBeats = 3;

/** Notices a thread that does nothing any more though it has not ended: its calls would hang on for ever. */
export class Pulse {
  readonly #clock: Clock;
  readonly #ask: () => Promise<unknown>;
  readonly #onLost: () => void;
  #timer: Timer | undefined;
  #waiting = false;
  #missed = 0;

  /** `ask` resolves with the sign of life; `onLost` is called once for each `start`. */
  constructor(clock: Clock, ask: () => Promise<unknown>, onLost: () => void) {
    this.#clock = clock;
    this.#ask = ask;
    this.#onLost = onLost;
  }

  start(): void {
    this.stop();
    this.#waiting = false;
    this.#missed = 0;
    this.#arm();
  }

  stop(): void {
    this.#timer?.clear();
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer = this.#clock.setTimer(pulseMs, () => this.#beat());
  }

  #beat(): void {
    if (this.#waiting && ++this.#missed >= missedBeats) {
      this.stop();
      this.#onLost();
      return;
    }
    this.#arm();
    if (this.#waiting) return;
    this.#waiting = true;
    this.#ask().then(
      () => {
        this.#waiting = false;
        this.#missed = 0;
      },
      () => {}, // the thread ended, which is seen to elsewhere
    );
  }
}
