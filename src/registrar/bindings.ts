import { TypedEvents } from "../core/index.ts";
import type { Flow, SipRequest } from "../sip/index.ts";
import { Binding } from "./binding.ts";
import type { BindingUpdate } from "./contact-flow.ts";
import type { RegistrarEvents } from "./contract.ts";
import { Gruus } from "./gruu.ts";
import { bindingUpdate, type DnRegister, type WantedBinding } from "./register-request.ts";
import type { RegistrarCounters, RegistrarOptions, RegistrarPolicy } from "./registrar-options.ts";

/** Refreshes of replaced clients that are remembered per DN. */
const maxReplaced = 16;

/** Registrations ended by an administrator that are remembered. */
const maxDismissed = 1000;

/** All of one DN. */
interface DnEntry {
  /** Oldest first. */
  readonly bindings: Binding[];
  /** Instance and Call-ID of clients that had to give way: their refreshes must not sign them in again. */
  readonly replaced: Set<string>;
}

/** The book of bindings: by DN and by flow, with the grace times of lost sockets. Who may be in it is not judged here. */
export class Bindings {
  readonly events: TypedEvents<RegistrarEvents>;
  readonly gruus: Gruus;
  readonly #options: RegistrarOptions;
  readonly #policy: RegistrarPolicy;
  readonly #counters: RegistrarCounters;
  readonly #dns = new Map<string, DnEntry>();
  readonly #byFlow = new Map<string, Binding>();
  /** As `DnEntry.replaced`, of clients that an administrator signed out. */
  readonly #dismissed = new Set<string>();

  constructor(options: RegistrarOptions, policy: RegistrarPolicy, counters: RegistrarCounters) {
    this.#options = options;
    this.#policy = policy;
    this.#counters = counters;
    this.events = new TypedEvents(options.log);
    this.gruus = new Gruus(options.random);
  }

  get size(): number {
    let size = 0;
    for (const entry of this.#dns.values()) size += entry.bindings.length;
    return size;
  }

  /** Of all DNs, oldest first. */
  all(): Binding[] {
    return Array.from(this.#dns.values()).flatMap((entry) => entry.bindings);
  }

  /** Of one DN, oldest first. */
  of(dn: string): readonly Binding[] {
    return this.#dns.get(dn)?.bindings ?? [];
  }

  byFlow(flow: Flow): Binding | undefined {
    return this.#byFlow.get(flow.id);
  }

  /**
   * The binding a contact belongs to. A made-up instance is trusted over connections only with the same Call-ID:
   * two pages may use one contact name, and the second must not pass for the first.
   */
  match({ request, flow, dn }: DnRegister, item: WantedBinding): Binding | undefined {
    const bindings = this.of(dn);
    if (!item.instanceMadeUp)
      return bindings.find((binding) => !binding.instanceMadeUp && binding.instance === item.instance);
    const alike = bindings.filter(
      (binding) =>
        binding.instanceMadeUp &&
        (binding.instance === item.instance || binding.instance === distinctInstance(item, request)),
    );
    return (
      alike.find((binding) => hasCallId(binding, request.callId)) ??
      alike.find((binding) => !binding.reachable || binding.carries(flow))
    );
  }

  /** Whether that client had to give way to a newer one of the DN. */
  wasReplaced({ request, dn }: DnRegister, item: WantedBinding): boolean {
    return this.#dns.get(dn)?.replaced.has(replacedKey(item.instance, request.callId)) ?? false;
  }

  /** Whether that registration was ended by an administrator: only a sign-in made anew lets its client in. */
  wasDismissed({ request }: DnRegister, item: WantedBinding): boolean {
    return this.#dismissed.has(replacedKey(item.instance, request.callId));
  }

  /** Signs a DN's clients out; their own repetitions do not sign them in again. Returns who they were. */
  dismiss(dn: string, reason: string): Binding[] {
    const dismissed = Array.from(this.of(dn));
    for (const binding of dismissed) {
      for (const { last } of binding.contacts)
        this.#dismissed.add(replacedKey(binding.instance, last.callId));
      this.remove(binding, reason);
    }
    for (const oldest of this.#dismissed)
      if (this.#dismissed.size > maxDismissed) this.#dismissed.delete(oldest);
    return dismissed;
  }

  /** Enters `item`: anew, or by an update of `existing`, which `match` has found for it. */
  put(register: DnRegister, item: WantedBinding, existing: Binding | undefined): void {
    const { request, flow, dn } = register;
    const update = bindingUpdate(request, item);
    if (!existing) return this.#add(register, item, update);
    const before = existing.contacts.map((contact) => contact.flow);
    const moved = existing.update(update, flow);
    for (const left of before) if (!existing.carries(left)) this.#byFlow.delete(left.id);
    const displaced = this.#file(existing, flow);
    if (displaced) this.remove(displaced, "replaced");
    if (!moved) return;
    this.#counters.resumed++;
    this.#options.log.info({ dn, instance: existing.instance, flow: flow.id }, "flow resumed");
    this.events.emit("flow-resumed", existing);
  }

  #add({ request, flow, dn }: DnRegister, item: WantedBinding, update: BindingUpdate): void {
    let entry = this.#dns.get(dn);
    if (!entry) this.#dns.set(dn, (entry = { bindings: [], replaced: new Set() }));
    const taken = entry.bindings.some((binding) => binding.instance === item.instance);
    const instance = taken ? distinctInstance(item, request) : item.instance;
    const { clock, log } = this.#options;
    const names = { dn, instance, instanceMadeUp: item.instanceMadeUp };
    const binding: Binding = new Binding(names, update, flow, clock, () => this.remove(binding, "expired"));
    const older = Array.from(entry.bindings);
    entry.replaced.delete(replacedKey(item.instance, request.callId));
    entry.bindings.push(binding);
    this.#file(binding, flow);
    // The new one stands before the old ones go, so that no listener ever sees the DN without anybody.
    for (const one of older) this.#replace(one, entry);
    this.#counters.signedIn++;
    log.info({ dn, instance, flow: flow.id, userAgent: binding.userAgent }, "signed in");
    this.events.emit("signed-in", binding);
  }

  #replace(binding: Binding, entry: DnEntry): void {
    this.#counters.replaced++;
    for (const { last } of binding.contacts) entry.replaced.add(replacedKey(binding.instance, last.callId));
    for (const oldest of entry.replaced) if (entry.replaced.size > maxReplaced) entry.replaced.delete(oldest);
    this.remove(binding, "replaced");
  }

  /** Files `binding` under `flow`; returns who was there before: a connection carries one client. */
  #file(binding: Binding, flow: Flow): Binding | undefined {
    const before = this.#byFlow.get(flow.id);
    this.#byFlow.set(flow.id, binding);
    return before === binding ? undefined : before;
  }

  /** The connection is gone; the client it carried goes on by another of its connections, or has its grace time. */
  loseFlow(flow: Flow): void {
    const binding = this.#byFlow.get(flow.id);
    if (!binding) return;
    this.#byFlow.delete(flow.id);
    binding.loseFlow(flow);
    const { dn, instance } = binding;
    if (binding.reachable) {
      this.#counters.failedOver++;
      this.#options.log.info({ dn, instance, flow: binding.flow?.id }, "flow lost, another is used");
      this.events.emit("flow-resumed", binding);
      return;
    }
    this.#counters.graceStarted++;
    this.#startGrace(binding, this.#options.clock.now());
    this.#options.log.info({ dn, instance }, "flow lost, grace runs");
    this.events.emit("flow-lost", binding);
  }

  #startGrace(binding: Binding, lostAt: number): void {
    const { clock, hasCall } = this.#options;
    const { newCallGraceMs, callGraceMs } = this.#policy;
    const left = lostAt + callGraceMs - clock.now();
    // Looked at again and again: the call may end, or a new one may be waiting, before the long grace is over.
    binding.graceTimer = clock.setTimer(Math.max(0, Math.min(newCallGraceMs, left)), () => {
      const over = clock.now() >= lostAt + callGraceMs;
      if (!over && hasCall(binding.dn, binding.instance)) this.#startGrace(binding, lostAt);
      else this.remove(binding, "connection lost");
    });
  }

  /** The contact with that `reg-id` un-registered; the client is signed out with its last one. */
  takeAway(binding: Binding, regId: string | undefined): void {
    const contact = binding.contactOf(regId);
    if (!contact) return;
    if (!binding.drop(contact)) return this.remove(binding, "signed out");
    if (!binding.carries(contact.flow)) this.#byFlow.delete(contact.flow.id);
  }

  /** Idempotent. */
  remove(binding: Binding, reason: string): void {
    if (binding.gone) return;
    const entry = this.#dns.get(binding.dn);
    const index = entry?.bindings.indexOf(binding) ?? -1;
    if (entry && index >= 0) entry.bindings.splice(index, 1);
    if (entry?.bindings.length === 0) this.#dns.delete(binding.dn);
    for (const { flow } of binding.contacts)
      if (this.#byFlow.get(flow.id) === binding) this.#byFlow.delete(flow.id);
    this.gruus.forget(binding);
    binding.close();
    this.#counters.signedOut++;
    this.#options.log.info({ dn: binding.dn, instance: binding.instance, reason }, "signed out");
    this.events.emit("signed-out", binding, reason);
  }

  /** Forgets all without an event. Idempotent. */
  close(): void {
    for (const binding of this.all()) binding.close();
    this.#dns.clear();
    this.#byFlow.clear();
    this.#dismissed.clear();
    this.gruus.clear();
    this.events.removeAllListeners();
  }
}

function hasCallId(binding: Binding, callId: string): boolean {
  return binding.contacts.some(({ last }) => last.callId === callId);
}

function replacedKey(instance: string, callId: string): string {
  return `${instance} ${callId}`;
}

/** For a second page with the same contact name. */
function distinctInstance(item: WantedBinding, request: SipRequest): string {
  return `${item.instance}#${request.callId}`;
}
