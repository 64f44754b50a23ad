import type { Clock, Timer } from "../../core/index.ts";

/** Told once when a message could not be sent. */
export type OnSendError = (error: Error) => void;

interface Waiting {
  readonly message: Buffer;
  readonly onError: OnSendError | undefined;
  readonly until: number;
}

/** How much may wait for a connection, and for how long. */
export interface QueueLimits {
  readonly messages: number;
  readonly bytes: number;
  /** What waits longer is given back as failed, ms. */
  readonly patienceMs: number;
}

/** Messages that wait for a connection: bounded in number, bytes and time; what falls out fails. */
export class SendQueue {
  readonly #limits: QueueLimits;
  readonly #clock: Clock;
  readonly #fault: () => string | undefined;
  #waiting: Waiting[] = [];
  #bytes = 0;
  #timer: Timer | undefined;

  /** `fault`: why there is no connection, for the error of what waits too long. */
  constructor(limits: QueueLimits, clock: Clock, fault: () => string | undefined) {
    this.#fault = fault;
    this.#limits = limits;
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiting.length;
  }

  add(message: Buffer, onError: OnSendError | undefined): void {
    // A request repeated for a lost connection is the very object that failed with it: once is enough.
    if (this.#waiting.some((entry) => entry.message === message)) return;
    const { messages, bytes, patienceMs } = this.#limits;
    if (this.#waiting.length >= messages || this.#bytes + message.length > bytes)
      return onError?.(new Error("too much waits for a connection"));
    this.#waiting.push({ message, onError, until: this.#clock.now() + patienceMs });
    this.#bytes += message.length;
    if (!this.#timer) this.#startTimer();
  }

  /** Empties the queue, in order. */
  drain(send: (message: Buffer, onError: OnSendError | undefined) => void): void {
    for (const { message, onError } of this.#take()) send(message, onError);
  }

  /** Everything that waits fails. */
  fail(error: Error): void {
    for (const { onError } of this.#take()) onError?.(error);
  }

  #take(): Waiting[] {
    const taken = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    this.#timer?.clear();
    this.#timer = undefined;
    return taken;
  }

  /** All have the same patience, so the first is the one whose time is up first. */
  #startTimer(): void {
    const [first] = this.#waiting;
    this.#timer = first && this.#clock.setTimer(first.until - this.#clock.now(), () => this.#expire());
  }

  #expire(): void {
    const now = this.#clock.now();
    const count = this.#waiting.findIndex(({ until }) => until > now);
    const late = this.#waiting.splice(0, count < 0 ? this.#waiting.length : count);
    for (const { message } of late) this.#bytes -= message.length;
    this.#startTimer();
    const fault = this.#fault();
    const words = `no connection in time${fault === undefined ? "" : `: ${fault}`}`;
    for (const { onError } of late) onError?.(new Error(words));
  }
}
