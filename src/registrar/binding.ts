import type { Clock, Timer } from "../core/index.ts";
import type { Flow } from "../sip/index.ts";
import { ContactFlow, type BindingUpdate } from "./contact-flow.ts";
import { hostPort } from "./addresses.ts";
import type { AgentSummary, SipPresence } from "./contract.ts";

interface Waiter {
  readonly resolve: (flow: Flow | undefined) => void;
  readonly timer: Timer;
}

/**
 * A client's bindings (RFC 3261 10), kept by (DN, instance) with one contact per `reg-id` (RFC 5626); its owner is the
 * registrar. The contact registered last whose connection lives is the one in use.
 */
export class Binding implements SipPresence {
  readonly kind = "sip";
  readonly dn: string;
  readonly instance: string;
  /** True when the client sent no `+sip.instance` and ours stands in. */
  readonly instanceMadeUp: boolean;
  /** When the client signed in, ms since 1970-01-01 UTC. */
  readonly since: number;
  readonly #clock: Clock;
  readonly #onExpired: () => void;
  readonly #waiters = new Set<Waiter>();
  /** The one registered last is the last. */
  #contacts: ContactFlow[];
  /** Speaks for the client when no connection of its lives. */
  #latest: ContactFlow;
  #gone = false;
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
    this.since = clock.wallClock();
    this.#onExpired = onExpired;
    this.#latest = this.#contact(first, flow);
    this.#contacts = [this.#latest];
  }

  #contact(update: BindingUpdate, flow: Flow): ContactFlow {
    const contact: ContactFlow = new ContactFlow(update, flow, this.#clock, () => {
      if (!this.drop(contact)) this.#onExpired();
    });
    return contact;
  }

  get #current(): ContactFlow {
    return (
      this.#contacts.findLast(({ usable }) => usable) ??
      this.#contacts.findLast(({ flow }) => flow.open) ??
      this.#latest
    );
  }

  get userAgent(): string {
    return this.#current.last.userAgent;
  }

  get allowEvents(): readonly string[] {
    return this.#current.last.allowEvents;
  }

  get summary(): AgentSummary {
    const { dn, instance, userAgent, since, reachable } = this;
    const address = hostPort(this.#current.flow);
    return { kind: "sip", dn, instance, userAgent, address, since, reachable };
  }

  get contactUri(): string {
    return this.#current.last.contactUri;
  }

  get path(): readonly string[] {
    return this.#current.last.path;
  }

  /** Oldest first. */
  get contacts(): readonly ContactFlow[] {
    return this.#contacts;
  }

  /** The contact that a REGISTER with this `reg-id` renews. */
  contactOf(regId: string | undefined): ContactFlow | undefined {
    return this.#contacts.find(({ last }) => last.regId === regId);
  }

  get flow(): Flow | undefined {
    const { flow } = this.#current;
    return flow.open ? flow : undefined;
  }

  carries(flow: Flow): boolean {
    return this.#contacts.some((contact) => contact.flow.id === flow.id);
  }

  get reachable(): boolean {
    return this.flow !== undefined;
  }

  get gone(): boolean {
    return this.#gone;
  }

  /**
   * A (further) REGISTER came by `flow`: who waited for a flow has one. True when the client moved there: that contact
   * had another connection before, or no connection of the client's lived.
   */
  update(update: BindingUpdate, flow: Flow): boolean {
    const known = this.contactOf(update.regId);
    const moved = !this.reachable || (known !== undefined && known.flow.id !== flow.id);
    const renewed = known ?? this.#contact(update, flow);
    if (known) known.update(update, flow);
    // One that lost its connection was kept only for want of another.
    const others = this.#contacts.filter((one) => one !== renewed);
    for (const one of others) if (!one.flow.open) one.close();
    this.#contacts = [...others.filter(({ flow: its }) => its.open), renewed];
    this.#latest = renewed;
    this.graceTimer?.clear();
    this.graceTimer = undefined;
    this.#settleWaiters(flow);
    return moved;
  }

  /** Takes one contact away. False when it is the only one: that is the whole client's end. */
  drop(contact: ContactFlow): boolean {
    const others = this.#contacts.filter((one) => one !== contact);
    const latest = others.at(-1);
    if (!latest) return false;
    contact.close();
    this.#contacts = others;
    this.#latest = latest;
    return true;
  }

  /** A connection is gone: what was registered by it goes, but for the last, which waits for the client. */
  loseFlow(flow: Flow): void {
    for (const contact of this.#contacts) if (contact.flow.id === flow.id) this.drop(contact);
  }

  flowFailed(flow: Flow): void {
    for (const contact of this.#contacts) if (contact.flow.id === flow.id) contact.failed = true;
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
   * The end: no timer stays, who waited is told that nothing comes. The flows stay while they are open, since the
   * running calls of a client that signed out or was replaced go on by them. Idempotent.
   */
  close(): void {
    this.#gone = true;
    this.graceTimer?.clear();
    for (const contact of this.#contacts) contact.close();
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
