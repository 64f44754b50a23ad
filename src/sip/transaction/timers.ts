import type { Clock, Timer } from "../../core/index.ts";

/** Round-trip time estimate, ms (RFC 3261 17.1.1.1). */
export const T1 = 500;
/** Longest interval between retransmissions of a non-INVITE request or an INVITE response, ms. */
export const T2 = 4000;
/** Longest time a message stays in the network, ms. */
export const T4 = 5000;
/** Timers B, F, H, J, L and M, ms: a peer silent for so long is given up. */
export const transactionTimeout = 64 * T1;
/** Timer D over UDP, ms: as long as the peer's timer H may make it repeat its response. */
export const timerD = 32_000;
/** 100 Trying goes out by itself when the user has sent nothing for so long, ms (RFC 3261 17.2.1). */
export const tryingDelay = 200;

/** RFC 3261's letters (table 4), RFC 6026's L and M, and those of ours in words. */
export type TimerName =
  | "A"
  | "B"
  | "D"
  | "E"
  | "F"
  | "G"
  | "H"
  | "I"
  | "J"
  | "K"
  | "L"
  | "M"
  | "trying"
  | "provisional"
  | "cancelled"
  | "unanswered"
  | "transportError";

/** The named timers of one transaction; stopping all of them is how a transaction ends without a trace. */
export class TransactionTimers {
  readonly #clock: Clock;
  readonly #running = new Map<TimerName, Timer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Starts or restarts the timer `name`. */
  start(name: TimerName, delayMs: number, callback: () => void): void {
    this.stop(name);
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#running.delete(name);
      callback();
    });
    this.#running.set(name, timer);
  }

  stop(...names: TimerName[]): void {
    for (const name of names) {
      this.#running.get(name)?.clear();
      this.#running.delete(name);
    }
  }

  stopAll(): void {
    for (const timer of this.#running.values()) timer.clear();
    this.#running.clear();
  }
}
