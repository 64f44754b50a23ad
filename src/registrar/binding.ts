import type { Clock, Timer } from "../core/index.ts";
import type { Flow } from "../sip/index.ts";
import type { SipPresence } from "./contract.ts";

/** What one REGISTER said about one contact. */
export interface BindingUpdate {
  readonly contactUri: string;
  readonly regId: string | undefined;
  readonly callId: string;
  readonly sequence: number;
  readonly userAgent: string;
  readonly allowEvents: readonly string[];
  /** Granted, seconds. */
  readonly expiresSeconds: number;
}

interface Waiter {
  readonly resolve: (flow: Flow | undefined) => void;
  readonly timer: Timer;
}

/** A binding of RFC 3261 10 and RFC 5626, kept by (DN, instance); its owner is the registrar. */
export class Binding implements SipPresence {
  readonly dn: string;
  readonly instance: string;
  /** True when the client sent no `+sip.instance` and ours stands in. */
  readonly instanceMadeUp: boolean;
  readonly #clock: Clock;
  readonly #onExpired: () => void;
  readonly #waiters = new Set<Waiter>();
  #last: BindingUpdate;
  #flow: Flow | undefined;
  #gone = false;
  #expiresAt = 0;
  #expiry: Timer | undefined;
  /** Runs while the socket is lost; set and cleared by the registrar. */
  graceTimer: Timer | undefined;

  constructor(
    names: { readonly dn: string; readonly instance: string; readonly instanceMadeUp: boolean },
    first: BindingUpdate,
    flow: Flow,
    clock: Clock,
    onExpired: () => void,
  ) {
    this.dn = names.dn;
    this.instance = names.instance;
    this.instanceMadeUp = names.instanceMadeUp;
    this.#clock = clock;
    this.#onExpired = onExpired;
    this.#last = first;
    this.update(first, flow);
  }

  get userAgent(): string {
    return this.#last.userAgent;
  }

  get allowEvents(): readonly string[] {
    return this.#last.allowEvents;
  }

  get contactUri(): string {
    return this.#last.contactUri;
  }

  get regId(): string | undefined {
    return this.#last.regId;
  }

  get callId(): string {
    return this.#last.callId;
  }

  get sequence(): number {
    return this.#last.sequence;
  }

  get flow(): Flow | undefined {
    return this.#flow?.open === true ? this.#flow : undefined;
  }

  /** The flow it is filed under, open or not. */
  get filedFlow(): Flow | undefined {
    return this.#flow;
  }

  get reachable(): boolean {
    return this.flow !== undefined;
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** Seconds until it expires, at least 1 while it lives. */
  get remainingSeconds(): number {
    return Math.max(1, Math.ceil((this.#expiresAt - this.#clock.now()) / 1000));
  }

  /** A (further) REGISTER came by `flow`: who waited for a flow has one. */
  update(update: BindingUpdate, flow: Flow): void {
    this.#last = update;
    this.#flow = flow;
    this.graceTimer?.clear();
    this.graceTimer = undefined;
    this.#expiry?.clear();
    this.#expiresAt = this.#clock.now() + update.expiresSeconds * 1000;
    this.#expiry = this.#clock.setTimer(update.expiresSeconds * 1000, this.#onExpired);
    this.#settleWaiters(flow);
  }

  loseFlow(): void {
    this.#flow = undefined;
  }

  waitForFlow(graceMs: number): Promise<Flow | undefined> {
    if (this.#gone || this.flow) return Promise.resolve(this.flow);
    return new Promise((resolve) => {
      const waiter: Waiter = {
        resolve,
        timer: this.#clock.setTimer(graceMs, () => {
          this.#waiters.delete(waiter);
          resolve(undefined);
        }),
      };
      this.#waiters.add(waiter);
    });
  }

  /**
   * The end: no timer stays, who waited is told that nothing comes. The flow stays while it is open, since the
   * running calls of a client that signed out or was replaced go on by it. Idempotent.
   */
  close(): void {
    this.#gone = true;
    this.graceTimer?.clear();
    this.#expiry?.clear();
    this.#settleWaiters(undefined);
  }

  #settleWaiters(flow: Flow | undefined): void {
    for (const waiter of this.#waiters) {
      waiter.timer.clear();
      waiter.resolve(flow);
    }
    this.#waiters.clear();
  }
}
