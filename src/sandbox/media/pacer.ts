import type { Clock, Timer } from "../../core/index.ts";
import { frameMs } from "./sound.ts";

/** Frames made up for after a late timer; beyond that the time is let go, as a phone's sound card would. */
const longestBacklog = 10;

/** One 20 ms beat for all senders of the sandbox; it beats only while somebody listens. */
export class Pacer {
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  #timer: Timer | undefined;
  #due = 0;
  #beating = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `listener` every 20 ms from the next beat on. */
  add(listener: () => void): void {
    this.#listeners.add(listener);
    if (this.#timer || this.#beating) return;
    this.#due = this.#clock.now() + frameMs;
    this.#arm();
  }

  delete(listener: () => void): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#timer?.clear();
    this.#timer = undefined;
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  #arm(): void {
    this.#timer = this.#clock.setTimer(Math.max(0, this.#due - this.#clock.now()), () => this.#beat());
  }

  #beat(): void {
    this.#timer = undefined;
    this.#beating = true;
    const now = this.#clock.now();
    if (now - this.#due > longestBacklog * frameMs) this.#due = now;
    // Half a millisecond of grace: system timers fire a fraction early.
    while (this.#due <= now + 0.5 && this.#listeners.size > 0) {
      this.#due += frameMs;
      for (const listener of Array.from(this.#listeners)) listener();
    }
    this.#beating = false;
    if (this.#listeners.size > 0) this.#arm();
  }
}
