import { randomId, TypedEvents, type Clock, type Logger, type Random } from "../core/index.ts";
import { createResponse, unescapeText } from "../sip/index.ts";
import type { DigestServer, Flow, ServerTransaction, SipRequest, SipResponse } from "../sip/index.ts";
import { Binding, type BindingUpdate } from "./binding.ts";
import type { Registrar, RegistrarEvents, SipPresence } from "./contract.ts";
import { defaultLoginLimits, LoginGuard, type LoginLimits } from "./login-guard.ts";
import {
  formatContact,
  readRegister,
  type ExpiresPolicy,
  type HeaderPair,
  type WantedBinding,
} from "./register-request.ts";

export interface RegistrarPolicy extends ExpiresPolicy {
  /**
   * When a second browser signs in for a DN: `newest` signs the former out, `first` refuses the new one with 403
   * while the former is reachable, `all` keeps up to `maxBindings` and calls the newest.
   */
  readonly severalBrowsers: "newest" | "first" | "all";
  /** Presences of one DN under `all`; contacts in one REGISTER. */
  readonly maxBindings: number;
  /** How long a lost socket is waited for when no call runs, ms. */
  readonly newCallGraceMs: number;
  /** How long a lost socket is waited for while a call runs, ms. */
  readonly callGraceMs: number;
}

export const defaultRegistrarPolicy: RegistrarPolicy = {
  severalBrowsers: "newest",
  maxBindings: 5,
  minExpires: 30,
  maxExpires: 3_600,
  defaultExpires: 300,
  newCallGraceMs: 5_000,
  callGraceMs: 30_000,
};

export interface RegistrarOptions {
  readonly digest: Pick<DigestServer, "challenge" | "verify">;
  /** The DNs that may sign in here. */
  readonly accounts: { has(dn: string): boolean };
  /** Whether a call runs for that client: it then gets the longer grace. */
  readonly hasCall: (dn: string, instance: string) => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly policy?: Partial<RegistrarPolicy>;
  readonly loginLimits?: Partial<LoginLimits>;
}

/** Counted since start. */
export interface RegistrarCounters {
  registers: number;
  challenges: number;
  failedLogins: number;
  /** Refused without a look at the password: too many failures before. */
  blockedLogins: number;
  /** Answered with any other error. */
  refused: number;
  signedIn: number;
  signedOut: number;
  replaced: number;
  graceStarted: number;
  resumed: number;
}

/** The registrar with what its owner needs beside the contract. */
export interface AgentRegistrar extends Registrar {
  readonly counters: Readonly<RegistrarCounters>;
  /** Everybody signed in, oldest first. */
  presences(): SipPresence[];
  /** Answers a REGISTER (RFC 3261 10.3). */
  handleRegister(transaction: ServerTransaction): void;
  /** To be told of every WebSocket that ended: grace times start here. */
  flowClosed(flow: Flow): void;
  /** Forgets all without an event; who waits for a flow gets none. Idempotent. */
  close(): void;
}

/** Option tags a client may put into Require: what the tags ask for holds here. */
const supportedTags = ["outbound", "path"];

/** Refreshes of replaced clients that are remembered per DN. */
const maxReplaced = 16;

export function createRegistrar(options: RegistrarOptions): AgentRegistrar {
  return new BindingRegistrar(options);
}

/** All of one DN. */
interface DnEntry {
  /** Oldest first. */
  readonly bindings: Binding[];
  /** Instance and Call-ID of clients that had to give way: their refreshes must not sign them in again. */
  readonly replaced: Set<string>;
}

type Outcome = { readonly status: number; readonly reason?: string; readonly headers?: HeaderPair[] };

class BindingRegistrar implements AgentRegistrar {
  readonly events: TypedEvents<RegistrarEvents>;
  readonly counters: RegistrarCounters = {
    registers: 0,
    challenges: 0,
    failedLogins: 0,
    blockedLogins: 0,
    refused: 0,
    signedIn: 0,
    signedOut: 0,
    replaced: 0,
    graceStarted: 0,
    resumed: 0,
  };
  readonly #options: RegistrarOptions;
  readonly #policy: RegistrarPolicy;
  readonly #log: Logger;
  readonly #guard: LoginGuard;
  readonly #dns = new Map<string, DnEntry>();
  readonly #byFlow = new Map<string, Binding>();

  constructor(options: RegistrarOptions) {
    this.#options = options;
    this.#policy = { ...defaultRegistrarPolicy, ...options.policy };
    this.#log = options.log;
    this.#guard = new LoginGuard(options.clock, { ...defaultLoginLimits, ...options.loginLimits });
    this.events = new TypedEvents(options.log);
  }

  get size(): number {
    let size = 0;
    for (const entry of this.#dns.values()) size += entry.bindings.length;
    return size;
  }

  find(dn: string): SipPresence | undefined {
    const bindings = this.#dns.get(dn)?.bindings;
    return bindings?.findLast((binding) => binding.reachable) ?? bindings?.at(-1);
  }

  findByFlow(flow: Flow): SipPresence | undefined {
    return this.#byFlow.get(flow.id);
  }

  presences(): SipPresence[] {
    return Array.from(this.#dns.values()).flatMap((entry) => entry.bindings);
  }

  handleRegister(transaction: ServerTransaction): void {
    this.counters.registers++;
    const { request, flow } = transaction;
    const outcome = this.#process(request, flow);
    transaction.respond(this.#response(request, outcome));
  }

  flowClosed(flow: Flow): void {
    const binding = this.#byFlow.get(flow.id);
    if (!binding) return;
    this.#byFlow.delete(flow.id);
    binding.loseFlow();
    this.counters.graceStarted++;
    this.#startGrace(binding, this.#options.clock.now());
    this.#log.info({ dn: binding.dn, instance: binding.instance }, "flow lost, grace runs");
    this.events.emit("flow-lost", binding);
  }

  close(): void {
    for (const entry of this.#dns.values()) for (const binding of entry.bindings) binding.close();
    this.#dns.clear();
    this.#byFlow.clear();
    this.#guard.clear();
    this.events.removeAllListeners();
  }

  #response(request: SipRequest, outcome: Outcome): SipResponse {
    return createResponse(request, outcome.status, {
      reason: outcome.reason,
      toTag: randomId(this.#options.random),
      headers: outcome.headers,
    });
  }

  #process(request: SipRequest, flow: Flow): Outcome {
    const unsupported = request.headers
      .values("Require")
      .filter((tag) => !supportedTags.includes(tag.toLowerCase()));
    if (unsupported.length > 0)
      return this.#refuse(420, "Bad Extension", [["Unsupported", unsupported.join(", ")]]);
    if (request.uri.scheme !== "sip" && request.uri.scheme !== "sips") return this.#refuse(416);
    const { user } = request.to.uri;
    if (user === undefined || user === "") return this.#refuse(400, "To names no DN");
    const dn = unescapeText(user);
    const failure = this.#authenticate(request, flow, dn);
    if (failure) return failure;
    const order = readRegister(request, dn, this.#policy);
    if (order.kind === "refused") return this.#refuse(order.status, order.reason, order.headers);
    if (order.kind === "update") return this.#update(request, flow, dn, order.bindings);
    if (order.kind === "remove-all") this.#removeAll(request, flow, dn);
    return this.#accepted(dn, undefined);
  }

  #refuse(status: number, reason?: string, headers: HeaderPair[] = []): Outcome {
    this.counters.refused++;
    return { status, headers, ...(reason === undefined ? {} : { reason }) };
  }

  /** What is wrong with the login; undefined when `dn` itself has signed the request. */
  #authenticate(request: SipRequest, flow: Flow, dn: string): Outcome | undefined {
    const address = flow.remoteAddress;
    // Who has signed in by this connection guesses no more: strangers behind the same address must not shut him out.
    const known = this.#byFlow.get(flow.id)?.dn === dn;
    const blocked = known ? 0 : this.#guard.blockedSeconds(address, dn);
    if (blocked > 0) {
      this.counters.blockedLogins++;
      return { status: 403, reason: "Too Many Failed Logins", headers: [["Retry-After", String(blocked)]] };
    }
    const verdict = this.#options.digest.verify(request);
    if (verdict.outcome === "challenge") {
      this.counters.challenges++;
      const challenges = this.#options.digest.challenge(verdict.stale);
      return { status: 401, headers: challenges.map((value) => ["WWW-Authenticate", value]) };
    }
    if (verdict.outcome === "refused" && verdict.status === 400) return this.#refuse(400, verdict.reason);
    // The AOR's user is the DN, and only its own password opens it; the host part is nobody's business.
    if (verdict.outcome === "accepted" && verdict.username === dn && this.#options.accounts.has(dn)) {
      this.#guard.succeeded(address, dn);
      return undefined;
    }
    this.counters.failedLogins++;
    this.#guard.failed(address, dn);
    this.#log.warn({ dn, remoteAddress: address }, "login failed");
    return { status: 403 };
  }

  #accepted(dn: string, outboundFlow: Flow | undefined): Outcome {
    const bindings = this.#dns.get(dn)?.bindings ?? [];
    const headers = bindings.map((binding): HeaderPair => [
      "Contact",
      formatContact(binding, binding.remainingSeconds),
    ]);
    headers.push(["Supported", supportedTags.join(", ")]);
    // RFC 5626 6: tells the client that its reg-id was understood and the flow will be used.
    if (outboundFlow) headers.push(["Require", "outbound"]);
    return { status: 200, headers };
  }

  /**
   * Takes away what this connection carries, and what its lost predecessor left. Another tab's binding stays,
   * though RFC 3261 10.3 would remove it: a closing tab must not sign out the one that took its place.
   */
  #removeAll(request: SipRequest, flow: Flow, dn: string): void {
    const bindings = Array.from(this.#dns.get(dn)?.bindings ?? []);
    for (const binding of bindings) {
      if (binding.filedFlow?.id === flow.id || (!binding.reachable && binding.callId === request.callId))
        this.#remove(binding, "signed out");
    }
  }

  #update(request: SipRequest, flow: Flow, dn: string, wanted: readonly WantedBinding[]): Outcome {
    const refusal = this.#refusalOf(request, flow, dn, wanted);
    if (refusal) return refusal;
    let outbound = false;
    for (const item of wanted) {
      const existing = this.#match(request, flow, dn, item);
      if (item.expiresSeconds > 0) {
        this.#put(request, flow, dn, item, existing);
        outbound ||= item.regId !== undefined && !item.instanceMadeUp;
      } else if (existing && (existing.filedFlow?.id === flow.id || !existing.reachable)) {
        this.#remove(existing, "signed out");
      }
    }
    const supports = request.headers.values("Supported").some((tag) => tag.toLowerCase() === "outbound");
    return this.#accepted(dn, outbound && supports ? flow : undefined);
  }

  /** All is checked before anything changes (RFC 3261 10.3: all or nothing). */
  #refusalOf(
    request: SipRequest,
    flow: Flow,
    dn: string,
    wanted: readonly WantedBinding[],
  ): Outcome | undefined {
    const additions = wanted.filter((item) => item.expiresSeconds > 0);
    const limit = this.#policy.severalBrowsers === "all" ? this.#policy.maxBindings : 1;
    if (additions.length > limit) return this.#refuse(403, "Too Many Contacts");
    for (const item of wanted) {
      const existing = this.#match(request, flow, dn, item);
      if (existing && existing.callId === request.callId && request.cseq.sequence <= existing.sequence)
        return this.#refuse(500, "CSeq Out Of Order");
    }
    const carried = this.#byFlow.get(flow.id);
    if (additions.length > 0 && carried && carried.dn !== dn)
      return this.#refuse(403, "Connection Serves Another DN");
    for (const item of additions) {
      const refusal = this.#match(request, flow, dn, item)
        ? undefined
        : this.#newcomerRefusal(request, flow, dn, item);
      if (refusal) return refusal;
    }
    return undefined;
  }

  #newcomerRefusal(request: SipRequest, flow: Flow, dn: string, item: WantedBinding): Outcome | undefined {
    const entry = this.#dns.get(dn);
    const others =
      entry?.bindings.filter((binding) => binding.reachable && binding.filedFlow?.id !== flow.id) ?? [];
    if (!entry || others.length === 0) return undefined;
    // Two tabs that refresh in turns would otherwise throw each other out for ever.
    if (entry.replaced.has(replacedKey(item.instance, request.callId)))
      return this.#refuse(403, "Replaced By A Newer Sign-In");
    if (this.#policy.severalBrowsers === "first") return this.#refuse(403, "Signed In Elsewhere");
    if (this.#policy.severalBrowsers === "all" && entry.bindings.length >= this.#policy.maxBindings)
      return this.#refuse(403, "Too Many Contacts");
    return undefined;
  }

  /**
   * The binding a contact belongs to. A made-up instance is trusted over connections only with the same Call-ID:
   * two pages may use one contact name, and the second must not pass for the first.
   */
  #match(request: SipRequest, flow: Flow, dn: string, item: WantedBinding): Binding | undefined {
    const bindings = this.#dns.get(dn)?.bindings ?? [];
    if (!item.instanceMadeUp)
      return bindings.find((binding) => !binding.instanceMadeUp && binding.instance === item.instance);
    const alike = bindings.filter(
      (binding) =>
        binding.instanceMadeUp &&
        (binding.instance === item.instance || binding.instance === distinctInstance(item, request)),
    );
    return (
      alike.find((binding) => binding.callId === request.callId) ??
      alike.find((binding) => !binding.reachable || binding.filedFlow?.id === flow.id)
    );
  }

  #put(
    request: SipRequest,
    flow: Flow,
    dn: string,
    item: WantedBinding,
    existing: Binding | undefined,
  ): void {
    const update: BindingUpdate = {
      contactUri: item.contactUri,
      regId: item.regId,
      callId: request.callId,
      sequence: request.cseq.sequence,
      userAgent: (request.headers.get("User-Agent") ?? "").slice(0, 200),
      allowEvents: request.headers
        .values("Allow-Events")
        .map((name) => name.toLowerCase())
        .slice(0, 32),
      expiresSeconds: item.expiresSeconds,
    };
    if (!existing) {
      this.#add(request, flow, dn, item, update);
      return;
    }
    const moved = existing.filedFlow?.id !== flow.id;
    if (moved && existing.filedFlow) this.#byFlow.delete(existing.filedFlow.id);
    existing.update(update, flow);
    const displaced = this.#file(existing, flow);
    if (displaced) this.#remove(displaced, "replaced");
    if (!moved) return;
    this.counters.resumed++;
    this.#log.info({ dn, instance: existing.instance, flow: flow.id }, "flow resumed");
    this.events.emit("flow-resumed", existing);
  }

  #add(request: SipRequest, flow: Flow, dn: string, item: WantedBinding, update: BindingUpdate): void {
    let entry = this.#dns.get(dn);
    if (!entry) this.#dns.set(dn, (entry = { bindings: [], replaced: new Set() }));
    const taken = entry.bindings.some((binding) => binding.instance === item.instance);
    const instance = taken ? distinctInstance(item, request) : item.instance;
    const binding: Binding = new Binding(
      { dn, instance, instanceMadeUp: item.instanceMadeUp },
      update,
      flow,
      this.#options.clock,
      () => this.#remove(binding, "expired"),
    );
    const older = Array.from(entry.bindings);
    entry.replaced.delete(replacedKey(item.instance, request.callId));
    entry.bindings.push(binding);
    const displaced = this.#file(binding, flow);
    // The new one stands before the old ones go, so that no listener ever sees the DN without anybody.
    const leaving = this.#policy.severalBrowsers === "all" ? older.filter((one) => one === displaced) : older;
    for (const one of leaving) this.#replace(one, entry);
    this.counters.signedIn++;
    this.#log.info({ dn, instance, flow: flow.id, userAgent: binding.userAgent }, "signed in");
    this.events.emit("signed-in", binding);
  }

  #replace(binding: Binding, entry: DnEntry): void {
    this.counters.replaced++;
    entry.replaced.add(replacedKey(binding.instance, binding.callId));
    if (entry.replaced.size > maxReplaced) {
      const [oldest] = entry.replaced;
      if (oldest !== undefined) entry.replaced.delete(oldest);
    }
    this.#remove(binding, "replaced");
  }

  /** Files `binding` under `flow`; returns who was there before: a connection carries one client. */
  #file(binding: Binding, flow: Flow): Binding | undefined {
    const before = this.#byFlow.get(flow.id);
    this.#byFlow.set(flow.id, binding);
    return before === binding ? undefined : before;
  }

  #startGrace(binding: Binding, lostAt: number): void {
    const { clock, hasCall } = this.#options;
    const { newCallGraceMs, callGraceMs } = this.#policy;
    const left = lostAt + callGraceMs - clock.now();
    // Looked at again and again: the call may end, or a new one may be waiting, before the long grace is over.
    binding.graceTimer = clock.setTimer(Math.max(0, Math.min(newCallGraceMs, left)), () => {
      const over = clock.now() >= lostAt + callGraceMs;
      if (!over && hasCall(binding.dn, binding.instance)) this.#startGrace(binding, lostAt);
      else this.#remove(binding, "connection lost");
    });
  }

  #remove(binding: Binding, reason: string): void {
    if (binding.gone) return;
    const entry = this.#dns.get(binding.dn);
    const index = entry?.bindings.indexOf(binding) ?? -1;
    if (entry && index >= 0) entry.bindings.splice(index, 1);
    if (entry?.bindings.length === 0) this.#dns.delete(binding.dn);
    const flow = binding.filedFlow;
    if (flow && this.#byFlow.get(flow.id) === binding) this.#byFlow.delete(flow.id);
    binding.close();
    this.counters.signedOut++;
    this.#log.info({ dn: binding.dn, instance: binding.instance, reason }, "signed out");
    this.events.emit("signed-out", binding, reason);
  }
}

function replacedKey(instance: string, callId: string): string {
  return `${instance} ${callId}`;
}

/** For a second page with the same contact name. */
function distinctInstance(item: WantedBinding, request: SipRequest): string {
  return `${item.instance}#${request.callId}`;
}
