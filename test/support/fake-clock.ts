import type { Clock, Timer } from "../../src/core/index.ts";

interface PendingTimer {
  at: number;
  order: number;
  callback: () => void;
}

/** A clock that moves only when told; timers fire in order of due time, then of creation. */
export class FakeClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #pending = new Set<PendingTimer>();
  readonly #wallStart: number;

  constructor(wallStart = Date.UTC(2026, 0, 1)) {
    this.#wallStart = wallStart;
  }

  now(): number {
    return this.#now;
  }

  wallClock(): number {
    return this.#wallStart + this.#now;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { at: this.#now + Math.max(0, delayMs), order: this.#order++, callback };
    this.#pending.add(timer);
    return { clear: () => this.#pending.delete(timer) };
  }

  /** Timers not yet fired or cleared: zero after a clean close. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** Moves time on by `ms`, firing all that falls due on the way, including timers set by other timers. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      let next: PendingTimer | undefined;
      for (const timer of this.#pending) {
        if (
          timer.at <= end &&
          (!next || timer.at < next.at || (timer.at === next.at && timer.order < next.order))
        )
          next = timer;
      }
      if (!next) break;
      this.#pending.delete(next);
      this.#now = next.at;
      next.callback();
    }
    this.#now = end;
  }

  /** As `advance`, but lets promise callbacks run after each fired timer. */
  async advanceAsync(ms: number, stepMs = 10): Promise<void> {
    for (let done = 0; done < ms; done += stepMs) {
      this.advance(Math.min(stepMs, ms - done));
      for (let turn = 0; turn < 8; turn++) await Promise.resolve();
    }
  }
}
