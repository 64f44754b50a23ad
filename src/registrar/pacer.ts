import type { Clock, Timer } from "../core/index.ts";

/** Lower goes first. */
export type Priority = 0 | 1 | 2;

/** A sign-in is waited for by a person (WWE gives up after 10 x 1.5 s); then DNs in a call; then the rest. */
export const priorities = { signIn: 0, inCall: 1, ordinary: 2 } as const satisfies Record<string, Priority>;

/** How fast jobs start and how many are at work. */
export interface PacerLimits {
  /** Jobs started a second. */
  readonly perSecond: number;
  /** Jobs started at once after a pause. */
  readonly burst: number;
  /** Jobs started and not yet done. */
  readonly maxOutstanding: number;
}

/**
 * A priority queue that starts its jobs at a limited rate (token bucket) and keeps at most so many at work. One
 * job per key: asking again only raises its priority.
 */
export class Pacer<Key> {
  readonly #clock: Clock;
  readonly #start: (key: Key) => void;
  #limits: PacerLimits;
  readonly #queues: readonly Set<Key>[] = [new Set(), new Set(), new Set()];
  #tokens: number;
  #filledAt: number;
  #outstanding = 0;
  #timer: Timer | undefined;
  #closed = false;
  #pumping = false;

  /** `start` begins a key's job; its end is told by `done`, in the same turn or later. */
  constructor(clock: Clock, limits: PacerLimits, start: (key: Key) => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#start = start;
    this.#tokens = limits.burst;
    this.#filledAt = clock.now();
  }

  get queued(): number {
    return this.#queues.reduce((sum, queue) => sum + queue.size, 0);
  }

  get outstanding(): number {
    return this.#outstanding;
  }

  add(key: Key, priority: Priority): void {
    if (this.#closed) return;
    const present = this.#queues.findIndex((queue) => queue.has(key));
    if (present >= 0 && present <= priority) return;
    if (present >= 0) this.#queues[present]?.delete(key);
    this.#queues[priority]?.add(key);
    this.#pump();
  }

  remove(key: Key): void {
    for (const queue of this.#queues) queue.delete(key);
    if (this.queued === 0) this.#stopTimer();
  }

  done(): void {
    if (this.#closed) return;
    this.#outstanding--;
    this.#pump();
  }

  setRate(perSecond: number, burst: number): void {
    this.#refill();
    this.#limits = { ...this.#limits, perSecond, burst };
    this.#stopTimer();
    this.#pump();
  }

  /** Drops what waits and forgets what is at work. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#outstanding = 0;
    for (const queue of this.#queues) queue.clear();
    this.#stopTimer();
  }

  #pump(): void {
    // A job that ends within `start` comes back here; the loop below goes on by itself.
    if (this.#pumping || this.#closed) return;
    this.#pumping = true;
    try {
      while (this.#outstanding < this.#limits.maxOutstanding) {
        const queue = this.#queues.find((candidate) => candidate.size > 0);
        if (!queue || !this.#takeToken()) break;
        const [key] = queue;
        if (key === undefined) break;
        queue.delete(key);
        this.#outstanding++;
        this.#start(key);
      }
    } finally {
      this.#pumping = false;
    }
    if (this.queued === 0) this.#stopTimer();
  }

  #refill(): void {
    const now = this.#clock.now();
    const { burst, perSecond } = this.#limits;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1000) * perSecond);
    this.#filledAt = now;
  }

  #takeToken(): boolean {
    this.#refill();
    // Sums of fractions may end a hair below the whole.
    if (this.#tokens > 1 - 1e-6) {
      this.#tokens = Math.max(0, this.#tokens - 1);
      return true;
    }
    const waitMs = ((1 - this.#tokens) / this.#limits.perSecond) * 1000;
    this.#timer ??= this.#clock.setTimer(waitMs, () => {
      this.#timer = undefined;
      this.#pump();
    });
    return false;
  }

  #stopTimer(): void {
    this.#timer?.clear();
    this.#timer = undefined;
  }
}
