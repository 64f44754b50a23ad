import type { Clock } from "../core/index.ts";

/** Wrong secrets one key may bring at once; each is forgiven after some time. */
export interface GuessLimit {
  readonly key: string;
  readonly atOnce: number;
}

/** Keys remembered; beyond that the one that was wrong longest ago is forgotten. */
const keysKept = 10_000;

/** Counts wrong secrets by key (an address, a name); they leak away with time. */
export class Guesses {
  readonly #clock: Clock;
  readonly #countsMs: number;
  /** By key: `clock.now()` when nothing of it counts any more. */
  readonly #forgivenAt = new Map<string, number>();

  /** `countsMs`: how long one wrong secret counts. */
  constructor(clock: Clock, countsMs: number) {
    this.#clock = clock;
    this.#countsMs = countsMs;
  }

  get size(): number {
    return this.#forgivenAt.size;
  }

  /** Until the next try under all of these limits, ms; 0: now. */
  waitMs(limits: readonly GuessLimit[]): number {
    const waits = limits.map(({ key, atOnce }) => this.#level(key) - (atOnce - 1) * this.#countsMs);
    return Math.max(0, ...waits);
  }

  wrong(limits: readonly GuessLimit[]): void {
    for (const { key } of limits) this.#set(key, this.#level(key) + this.#countsMs);
    for (const key of this.#forgivenAt.keys()) {
      if (this.#forgivenAt.size <= keysKept) return;
      this.#forgivenAt.delete(key);
    }
  }

  /** Takes back one `wrong`, no more: who has one right secret must not get free guesses at others by it. */
  takeBack(limits: readonly GuessLimit[]): void {
    for (const { key } of limits) this.#set(key, this.#level(key) - this.#countsMs);
  }

  #level(key: string): number {
    return Math.max(0, (this.#forgivenAt.get(key) ?? 0) - this.#clock.now());
  }

  #set(key: string, level: number): void {
    this.#forgivenAt.delete(key);
    if (level > 0) this.#forgivenAt.set(key, this.#clock.now() + level);
  }
}
