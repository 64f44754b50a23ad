import type { Clock, Timer } from "../../src/core/index.ts";

interface PendingTimer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
  /** Fired or cleared. */
  over: boolean;
}

const before = (one: PendingTimer, other: PendingTimer): boolean =>
  one.at < other.at || (one.at === other.at && one.order < other.order);

/** A binary heap: thousands of timers must not be looked through for each that fires. */
class TimerHeap {
  readonly #heap: PendingTimer[] = [];

  get first(): PendingTimer | undefined {
    while (this.#heap[0]?.over) this.#removeFirst();
    return this.#heap[0];
  }

  add(timer: PendingTimer): void {
    let place = this.#heap.push(timer) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#swapIfBefore(place, parent)) return;
      place = parent;
    }
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (!last || this.#heap.length === 0) return;
    this.#heap[0] = last;
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      const [one, other] = [this.#heap[left], this.#heap[left + 1]];
      if (!one) return;
      const least = other && before(other, one) ? left + 1 : left;
      if (!this.#swapIfBefore(least, place)) return;
      place = least;
    }
  }

  #swapIfBefore(lower: number, upper: number): boolean {
    const [below, above] = [this.#heap[lower], this.#heap[upper]];
    if (!below || !above || !before(below, above)) return false;
    this.#heap[lower] = above;
    this.#heap[upper] = below;
    return true;
  }
}

/** A clock that moves only when told; timers fire in order of due time, then of creation. */
export class FakeClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #timers = new TimerHeap();
  #pending = 0;
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
    const timer = { at: this.#now + Math.max(0, delayMs), order: this.#order++, callback, over: false };
    this.#timers.add(timer);
    this.#pending++;
    return { clear: () => this.#end(timer) };
  }

  /** Timers not yet fired or cleared: zero after a clean close. */
  get pendingTimers(): number {
    return this.#pending;
  }

  /** Moves time on by `ms`, firing all that falls due on the way, including timers set by other timers. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#timers.first; next && next.at <= end; next = this.#timers.first) {
      this.#end(next);
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

  #end(timer: PendingTimer): void {
    if (!timer.over) this.#pending--;
    timer.over = true;
  }
}
