import type { Clock, Timer } from "../../core/index.ts";

const tickMs = 20;
/** After a stall longer than this the ticks missed are not made up for. */
const longestCatchUpMs = 200;

/**
 * Calls `onTick` every 20 ms without drift: each delay is measured from the plan, not from the last call.
 * `lateMs` tells how far behind the plan the call is: whether the thread was kept from running.
 */
export class Ticker {
  readonly #clock: Clock;
  readonly #onTick: (now: number, lateMs: number) => void;
  #timer: Timer | undefined;
  #dueAt = 0;

  constructor(clock: Clock, onTick: (now: number, lateMs: number) => void) {
    this.#clock = clock;
    this.#onTick = onTick;
  }

  start(): void {
    if (this.#timer) return;
    this.#dueAt = this.#clock.now() + tickMs;
    this.#arm(tickMs);
  }

  stop(): void {
    this.#timer?.clear();
    this.#timer = undefined;
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.setTimer(delayMs, () => this.#fire());
  }

  #fire(): void {
    const now = this.#clock.now();
    const lateMs = now - this.#dueAt;
    this.#dueAt = now - this.#dueAt > longestCatchUpMs ? now + tickMs : this.#dueAt + tickMs;
    this.#arm(Math.max(0, this.#dueAt - now));
    this.#onTick(now, lateMs);
  }
}
