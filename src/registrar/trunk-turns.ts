import type { Clock, Timer } from "../core/index.ts";
import type { Pacer, Priority } from "./pacer.ts";
import type { TrunkExchange } from "./trunk-exchange.ts";

/** The turns one DN gets from the pacer, one REGISTER at a time, and the timer that asks for the next. */
export class TrunkTurns {
  readonly #pacer: Pacer<TrunkTurns>;
  readonly #clock: Clock;
  readonly #onTurn: () => void;
  #exchange: TrunkExchange | undefined;
  /** Of the turn that follows the one under way. */
  #next: Priority | undefined;
  #timer: Timer | undefined;

  /** `onTurn` must lead to exactly one `finish`, at once or, after `begin`, later. */
  constructor(pacer: Pacer<TrunkTurns>, clock: Clock, onTurn: () => void) {
    this.#pacer = pacer;
    this.#clock = clock;
    this.#onTurn = onTurn;
  }

  /** Whether a turn is under way or follows. */
  get busy(): boolean {
    return this.#exchange !== undefined || this.nextDue;
  }

  /** Whether another turn follows the one under way. */
  get nextDue(): boolean {
    return this.#next !== undefined;
  }

  /** Asks for a turn; the timer is no longer needed. */
  ask(priority: Priority): void {
    this.stopTimer();
    // RFC 3261 10.2: no new REGISTER before the last one has its answer.
    if (!this.#exchange) this.#pacer.add(this, priority);
    else if (this.#next === undefined || priority < this.#next) this.#next = priority;
  }

  /** The turn that follows the one under way has this priority, whatever was asked for; undefined: there is none. */
  setNext(priority: Priority | undefined): void {
    this.#next = priority;
  }

  /** Takes back what waits: the timer and the place at the pacer. */
  withdraw(): void {
    this.stopTimer();
    this.#pacer.remove(this);
  }

  /** By the pacer. */
  start(): void {
    this.#onTurn();
  }

  begin(exchange: TrunkExchange): void {
    this.stopTimer();
    this.#exchange = exchange;
    exchange.start();
  }

  finish(): void {
    this.#exchange = undefined;
    const next = this.#next;
    this.#next = undefined;
    if (next !== undefined) this.ask(next);
    this.#pacer.done();
  }

  /** Calls back after `delayMs` unless a turn is asked for before. */
  after(delayMs: number, callback: () => void): void {
    this.stopTimer();
    this.#timer = this.#clock.setTimer(delayMs, callback);
  }

  stopTimer(): void {
    this.#timer?.clear();
    this.#timer = undefined;
  }

  /** Waits for nothing any more. Idempotent. */
  close(): void {
    this.stopTimer();
    this.#exchange?.abandon();
    this.#exchange = undefined;
    this.#next = undefined;
  }
}
