import type { Clock, Timer } from "../core/index.ts";
import type { Flow } from "../sip/index.ts";

/** What one REGISTER said about one contact. */
export interface BindingUpdate {
  readonly contactUri: string;
  /** Undefined where there is none, or where RFC 5626 6 says to ignore it. */
  readonly regId: string | undefined;
  readonly callId: string;
  readonly sequence: number;
  readonly userAgent: string;
  readonly allowEvents: readonly string[];
  /** Path values (RFC 3327), the client's side last. */
  readonly path: readonly string[];
  /** Granted, seconds. */
  readonly expiresSeconds: number;
}

/** One contact of a client over one connection: a client has one per `reg-id` (RFC 5626 6). */
export class ContactFlow {
  readonly #clock: Clock;
  readonly #onExpired: () => void;
  #last: BindingUpdate;
  #flow: Flow;
  #expiresAt = 0;
  #expiry: Timer | undefined;
  /** A request by this connection came back with 430: another is tried first (RFC 5626 7). */
  failed = false;

  constructor(first: BindingUpdate, flow: Flow, clock: Clock, onExpired: () => void) {
    this.#clock = clock;
    this.#onExpired = onExpired;
    this.#last = first;
    this.#flow = flow;
    this.update(first, flow);
  }

  get last(): BindingUpdate {
    return this.#last;
  }

  /** The connection it came by last, open or not. */
  get flow(): Flow {
    return this.#flow;
  }

  get usable(): boolean {
    return this.#flow.open && !this.failed;
  }

  /** Seconds until it expires, at least 1 while it lives. */
  get remainingSeconds(): number {
    return Math.max(1, Math.ceil((this.#expiresAt - this.#clock.now()) / 1000));
  }

  update(update: BindingUpdate, flow: Flow): void {
    this.#last = update;
    this.#flow = flow;
    this.failed = false;
    this.#expiry?.clear();
    this.#expiresAt = this.#clock.now() + update.expiresSeconds * 1000;
    this.#expiry = this.#clock.setTimer(update.expiresSeconds * 1000, this.#onExpired);
  }

  /** No timer stays. Idempotent. */
  close(): void {
    this.#expiry?.clear();
  }
}
