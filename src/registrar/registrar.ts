import { randomId, type TypedEvents } from "../core/index.ts";
import { createResponse, unescapeText } from "../sip/index.ts";
import type { Flow, HeaderPair, ServerTransaction, SipRequest, SipResponse, SipUri } from "../sip/index.ts";
import type { Binding } from "./binding.ts";
import { Bindings } from "./bindings.ts";
import type { ContactFlow } from "./contact-flow.ts";
import type {
  AgentSummary,
  KnownPresence,
  Registrar,
  RegistrarEvents,
  SipPresence,
  WrtcPresence,
} from "./contract.ts";
import { RegisterLogin } from "./register-login.ts";
import {
  formatContact,
  pathOf,
  readRegister,
  supports,
  type DnRegister,
  type RegisterAnswer,
  type WantedBinding,
} from "./register-request.ts";
import {
  defaultRegistrarPolicy,
  type RegistrarCounters,
  type RegistrarOptions,
  type RegistrarPolicy,
} from "./registrar-options.ts";
import { WrtcClients } from "./wrtc-clients.ts";

/** The registrar with what its owner needs beside the contract. */
export interface AgentRegistrar extends Registrar {
  readonly counters: Readonly<RegistrarCounters>;
  /** Everybody signed in, oldest first. */
  presences(): KnownPresence[];
  /** The same, as a list shows it. */
  list(): AgentSummary[];
  /** True: who is not signed in yet is refused (503); who is stays and may register again. */
  draining: boolean;
  /**
   * Signs a DN's clients out against their will: each has to sign in anew, its repetitions get 403. Their connections
   * stay open and calls on them run on. Returns who they were, with the connections they have.
   */
  signOut(dn: string, reason: string): { readonly flow?: Flow | undefined }[];
  /**
   * Lets a client go that is to sign in elsewhere: it is no more signed in, and may sign in anew unless we are drained.
   * Returns the connections it has, which stay open.
   */
  letGo(presence: KnownPresence): readonly Flow[];
  /** A client of another kind has proven that the DN is its. False: we are drained, and it must sign in elsewhere. */
  admit(presence: WrtcPresence): boolean;
  /** It is lost for now, or back. */
  noteReachable(presence: WrtcPresence): void;
  /** It signed out, or was not heard of for too long. Idempotent. */
  release(presence: WrtcPresence, reason: string): void;
  /** Answers a REGISTER (RFC 3261 10.3). */
  handleRegister(transaction: ServerTransaction): void;
  /** To be told of every WebSocket that ended: grace times start here. */
  flowClosed(flow: Flow): void;
  /** Forgets all without an event; who waits for a flow gets none. Idempotent. */
  close(): void;
}

/** When a page that is refused by a draining gateway may ask again, seconds. */
const drainingRetrySeconds = "30";

/** Option tags a client may put into Require: what the tags ask for holds here. */
const supportedTags = ["outbound", "path", "gruu"];

/** A registrar with nobody signed in. */
export function createRegistrar(options: RegistrarOptions): AgentRegistrar {
  return new BindingRegistrar(options);
}

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
    failedOver: 0,
  };
  readonly #options: RegistrarOptions;
  readonly #policy: RegistrarPolicy;
  readonly #login: RegisterLogin;
  readonly #bindings: Bindings;
  readonly #wrtc: WrtcClients;
  draining = false;

  constructor(options: RegistrarOptions) {
    this.#options = options;
    this.#policy = { ...defaultRegistrarPolicy, ...options.policy };
    this.#bindings = new Bindings(options, this.#policy, this.counters);
    this.events = this.#bindings.events;
    this.#wrtc = new WrtcClients(this.events);
    this.#login = new RegisterLogin(options, this.counters, (dn, address, cause) =>
      this.events.emit("login-refused", dn, address, cause),
    );
  }

  get size(): number {
    return this.#bindings.size + this.#wrtc.size;
  }

  find(dn: string, free: (presence: KnownPresence) => boolean = () => true): KnownPresence | undefined {
    const all: KnownPresence[] = [...this.#bindings.of(dn), ...this.#wrtc.of(dn)];
    const present = all.toSorted((one, other) => one.since - other.since);
    const reachable = present.filter((presence) => presence.reachable);
    return reachable.findLast(free) ?? reachable.at(-1) ?? present.at(-1);
  }

  findByFlow(flow: Flow): SipPresence | undefined {
    return this.#bindings.byFlow(flow);
  }

  findByGruu(uri: SipUri): SipPresence | undefined {
    if (!uri.parameters.has("gr")) return undefined;
    const dn = unescapeText(uri.user ?? "");
    if (uri.parameters.get("gr")) return this.#bindings.gruus.findPublic(uri, this.#bindings.of(dn));
    return this.#bindings.gruus.findTemporary(uri);
  }

  presences(): KnownPresence[] {
    return [...this.#bindings.all(), ...this.#wrtc.all()];
  }

  list(): AgentSummary[] {
    const wrtc = this.#wrtc.all().map(({ kind, dn, instance, userAgent, address, since, reachable }) => {
      return { kind, dn, instance, userAgent, address, since, reachable };
    });
    return [...this.#bindings.all().map(({ summary }) => summary), ...wrtc];
  }

  signOut(dn: string, reason: string): { readonly flow?: Flow | undefined }[] {
    const wrtc = Array.from(this.#wrtc.of(dn));
    for (const presence of wrtc) {
      this.release(presence, reason);
      presence.dismissed(reason);
    }
    return [...this.#bindings.dismiss(dn, reason), ...wrtc.map(() => ({}))];
  }

  admit(presence: WrtcPresence): boolean {
    if (this.draining) return false;
    this.counters.signedIn++;
    const { dn, instance, userAgent } = presence;
    this.#options.log.info({ dn, instance, userAgent }, "signed in");
    this.#wrtc.add(presence);
    return true;
  }

  noteReachable(presence: WrtcPresence): void {
    if (!this.#wrtc.of(presence.dn).includes(presence)) return;
    const { reachable } = presence;
    this.counters[reachable ? "resumed" : "graceStarted"]++;
    this.events.emit(reachable ? "flow-resumed" : "flow-lost", presence);
  }

  release(presence: WrtcPresence, reason: string): void {
    if (!this.#wrtc.remove(presence, reason)) return;
    this.counters.signedOut++;
    this.#options.log.info({ dn: presence.dn, instance: presence.instance, reason }, "signed out");
  }

  letGo(presence: KnownPresence): readonly Flow[] {
    const { dn, instance } = presence;
    if (presence.kind === "wrtc") {
      this.release(presence, "moved away");
      presence.dismissed("moved away");
      return [];
    }
    const binding = this.#bindings.of(dn).find((one) => one.instance === instance);
    if (!binding) return [];
    const flows = binding.contacts.map(({ flow }) => flow);
    this.#bindings.remove(binding, "moved away");
    return flows;
  }

  handleRegister(transaction: ServerTransaction): void {
    this.counters.registers++;
    const { request, flow } = transaction;
    const answer = this.#process(request, flow);
    transaction.respond(this.#response(request, answer));
  }

  flowClosed(flow: Flow): void {
    this.#bindings.loseFlow(flow);
  }

  close(): void {
    this.#wrtc.close();
    this.#bindings.close();
    this.#login.clear();
  }

  #response(request: SipRequest, { status, reason, headers }: RegisterAnswer): SipResponse {
    return createResponse(request, status, { reason, toTag: randomId(this.#options.random), headers });
  }

  #process(request: SipRequest, flow: Flow): RegisterAnswer {
    const unsupported = request.headers
      .values("Require")
      .filter((tag) => !supportedTags.includes(tag.toLowerCase()));
    if (unsupported.length > 0)
      return this.#refuse(420, "Bad Extension", [["Unsupported", unsupported.join(", ")]]);
    if (request.uri.scheme !== "sip" && request.uri.scheme !== "sips") return this.#refuse(416);
    const { user } = request.to.uri;
    if (user === undefined || user === "") return this.#refuse(400, "To names no DN");
    const dn = unescapeText(user);
    const known = this.#bindings.byFlow(flow)?.dn === dn;
    const inCall = (): boolean =>
      this.#bindings.of(dn).some(({ instance }) => this.#options.hasCall(dn, instance));
    const failure = this.#login.check(request, flow, dn, { known, inCall });
    if (failure) return failure;
    const order = readRegister(request, dn, this.#policy);
    const register: DnRegister = { request, flow, dn };
    if (order.kind === "refused") return this.#refuse(order.status, order.reason, order.headers);
    if (order.kind === "update") return this.#update(register, order.bindings);
    if (order.kind === "remove-all") this.#removeAll(register);
    return this.#accepted(register, false);
  }

  #refuse(status: number, reason?: string, headers: HeaderPair[] = []): RegisterAnswer {
    this.counters.refused++;
    return { status, headers, ...(reason === undefined ? {} : { reason }) };
  }

  #accepted({ request, dn }: DnRegister, outbound: boolean): RegisterAnswer {
    const wantsGruu = supports(request, "gruu");
    const headers: HeaderPair[] = [];
    for (const binding of this.#bindings.of(dn))
      for (const contact of binding.contacts)
        headers.push(["Contact", this.#contactValue(binding, contact, wantsGruu && request)]);
    headers.push(["Supported", supportedTags.join(", ")]);
    const path = pathOf(request);
    if (path.length > 0) headers.push(["Path", path.join(", ")]);
    // RFC 5626 6: tells the client that its reg-id was understood and the flow will be used.
    if (outbound)
      headers.push(["Require", "outbound"], ["Flow-Timer", String(this.#policy.flowTimerSeconds)]);
    return { status: 200, headers };
  }

  /** RFC 5627 5.4: each contact with an instance has its public GRUU, and a temporary one that is new. */
  #contactValue(
    binding: Binding,
    { last, remainingSeconds }: ContactFlow,
    gruuFor: SipRequest | false,
  ): string {
    const { instance, instanceMadeUp } = binding;
    const shown = { contactUri: last.contactUri, regId: last.regId, instance, instanceMadeUp };
    if (!gruuFor || instanceMadeUp) return formatContact(shown, remainingSeconds);
    const { gruus } = this.#bindings;
    const aor = gruuFor.to.uri;
    return formatContact(shown, remainingSeconds, [
      ["pub-gruu", gruus.publicGruu(aor, binding)],
      ["temp-gruu", gruus.temporaryGruu(aor, binding, last)],
    ]);
  }

  /**
   * Takes away what this connection carries, and what its lost predecessor left. Another tab's binding stays,
   * though RFC 3261 10.3 would remove it: a closing tab must not sign out the one that took its place.
   */
  #removeAll({ request, flow, dn }: DnRegister): void {
    for (const binding of Array.from(this.#bindings.of(dn))) {
      const known = binding.contacts.some(({ last }) => last.callId === request.callId);
      if (binding.carries(flow) || (!binding.reachable && known))
        this.#bindings.remove(binding, "signed out");
    }
  }

  #update(register: DnRegister, wanted: readonly WantedBinding[]): RegisterAnswer {
    const { request, flow } = register;
    const refusal = this.#refusalOf(register, wanted);
    if (refusal) return refusal;
    let outbound = false;
    for (const item of wanted) {
      const existing = this.#bindings.match(register, item);
      if (item.expiresSeconds > 0) {
        this.#bindings.put(register, item, existing);
        outbound ||= item.regId !== undefined;
      } else if (existing && (existing.carries(flow) || !existing.reachable)) {
        this.#bindings.takeAway(existing, item.regId);
      }
    }
    return this.#accepted(register, outbound && supports(request, "outbound"));
  }

  /** All is checked before anything changes (RFC 3261 10.3: all or nothing). */
  #refusalOf(register: DnRegister, wanted: readonly WantedBinding[]): RegisterAnswer | undefined {
    const { request, flow, dn } = register;
    const additions = wanted.filter((item) => item.expiresSeconds > 0);
    if (additions.length > 1) return this.#refuse(403, "Too Many Contacts");
    for (const item of wanted) {
      const existing = this.#bindings.match(register, item);
      const known = existing?.contactOf(item.regId)?.last;
      if (known && known.callId === request.callId && request.cseq.sequence <= known.sequence)
        return this.#refuse(500, "CSeq Out Of Order");
      const full = existing && existing.contacts.length >= this.#policy.maxFlows;
      if (full && !known && item.expiresSeconds > 0) return this.#refuse(403, "Too Many Flows");
    }
    const carried = this.#bindings.byFlow(flow);
    if (additions.length > 0 && carried && carried.dn !== dn)
      return this.#refuse(403, "Connection Serves Another DN");
    for (const item of additions) {
      const refusal = this.#bindings.match(register, item)
        ? undefined
        : this.#newcomerRefusal(register, item);
      if (refusal) return refusal;
    }
    return undefined;
  }

  #newcomerRefusal(register: DnRegister, item: WantedBinding): RegisterAnswer | undefined {
    const { flow, dn } = register;
    if (this.draining) return this.#refuse(503, "Being Drained", [["Retry-After", drainingRetrySeconds]]);
    if (this.#bindings.wasDismissed(register, item)) return this.#refuse(403, "Signed Out By Administrator");
    const bindings = this.#bindings.of(dn);
    const others = bindings.some((binding) => binding.reachable && !binding.carries(flow));
    if (!others) return undefined;
    // Two tabs that refresh in turns would otherwise throw each other out for ever.
    if (this.#bindings.wasReplaced(register, item)) return this.#refuse(403, "Replaced By A Newer Sign-In");
    if (this.#policy.severalBrowsers === "first") return this.#refuse(403, "Signed In Elsewhere");
    return undefined;
  }
}
