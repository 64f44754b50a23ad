import type { Clock, Timer } from "../core/index.ts";

/** The timers of one owner, all cleared at once when it ends. */
export class Timers {
  readonly #clock: Clock;
  readonly #running = new Map<Timer, (() => void) | undefined>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls back once after `delayMs`, unless closed before. */
  after(delayMs: number, callback: () => void): Timer {
    return this.#set(delayMs, callback, undefined);
  }

  /** Resolves after `delayMs`, or at once when closed. */
  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#set(delayMs, resolve, resolve);
    });
  }

  /** Idempotent; nothing fires any more, pauses end. */
  close(): void {
    this.#closed = true;
    const running = Array.from(this.#running);
    this.#running.clear();
    for (const [timer, onClose] of running) {
      timer.clear();
      onClose?.();
    }
  }

  #set(delayMs: number, callback: () => void, onClose: (() => void) | undefined): Timer {
    if (this.#closed) {
      onClose?.();
      return { clear() {} };
    }
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#running.delete(timer);
      callback();
    });
    this.#running.set(timer, onClose);
    return {
      clear: () => {
        timer.clear();
        this.#running.delete(timer);
      },
    };
  }
}
