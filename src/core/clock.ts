/** A running timer. `clear` is idempotent and safe after the timer has fired. */
export interface Timer {
  clear(): void;
}

/** Time as the rooms see it; tests pass a fake one, so no test sleeps. */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary start; never jumps with the wall clock. */
  now(): number;
  /** Wall-clock time in milliseconds since 1970-01-01 UTC; for records, nonces and certificates only. */
  wallClock(): number;
  /** Calls `callback` once after `delayMs` milliseconds. */
  setTimer(delayMs: number, callback: () => void): Timer;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallClock: () => Date.now(),
  setTimer(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    return { clear: () => clearTimeout(handle) };
  },
};

/** Calls `callback` once the event loop has handled the events at hand, before it waits for others. */
export function afterEvents(callback: () => void): void {
  setImmediate(callback);
}
