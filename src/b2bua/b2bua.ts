import { TypedEvents, type Logger } from "../core/index.ts";
import type { RunningCapture } from "../media/index.ts";
import type {
  AgentPresence,
  KnownPresence,
  Registrar,
  SipPresence,
  TrunkRegistrations,
  WrtcPresence,
} from "../registrar/index.ts";
import {
  createResponse,
  readRefer,
  refuseByTerms,
  type Flow,
  type HeaderPair,
  type ServerTransaction,
  type SessionTerms,
  type SipRequest,
} from "../sip/index.ts";
import { CallByRefer } from "./call/call-by-refer.ts";
import { CallFromAgent, type Dialling } from "./call/call-from-agent.ts";
import { EchoCalls } from "./call/echo-calls.ts";
import { startCapture, summaryOf, type CallCaptureOptions, type CallSummary } from "./call/call-capture.ts";
import { callFigures, type CallRecord } from "./call/call-record.ts";
import { CallToAgent } from "./call/call-to-agent.ts";
import type { CallServices } from "./call/call-services.ts";
import { endedByOperator, type Call } from "./call/call.ts";
import { RunningCalls } from "./call/running-calls.ts";
import { capabilitiesOf, handleMethod, handlerOf, type MethodTable } from "./legs/methods.ts";
import type { SipAgentLegOptions } from "./clients/client-event.ts";
import { eventOf, MessageWaiting } from "./clients/message-waiting.ts";
import type { AgentLegs, LegEnd, MakeCallingLeg } from "./legs/agent-leg.ts";
import { keepOneActive } from "./call/one-active.ts";
import { dialledNumber } from "./outbound/dialled-number.ts";
import { plainOutbound, readDialled, readNumber } from "./outbound/outbound-policy.ts";
import { QualityTotals } from "./media/quality-totals.ts";
import { resumeHeader } from "./clients/resume-ticket.ts";
import { browserTerms, defaultTrunkTerms } from "./legs/session-terms.ts";
import { SipAgentLegs } from "./legs/sip-agent-legs.ts";
import { EndedDialogs, findReplaced, numberOf } from "./transfer/index.ts";
import { trunkCapabilities } from "./legs/trunk-methods.ts";
import { TrunkNotices } from "./clients/trunk-notices.ts";
import type { TurnTerms } from "./clients/turn-credentials.ts";
import { TurnNotices } from "./clients/turn-notices.ts";

/** What the B2BUA is made of. */
export interface B2buaOptions
  extends
    Omit<CallServices, "onMessageSummary" | "trunkRegistrations" | "quality" | "legOfDn" | "dialled">,
    Omit<SipAgentLegOptions, "context"> {
  readonly registrar: Registrar;
  readonly trunkRegistrations: TrunkRegistrations;
  /** Calls one DN may have at a time; a phone of SIP Server's has three lines (genesys-sip-server.md 5.2). */
  readonly callsPerDn: number;
  /** The TURN servers that pages may use; left out or undefined: there are none. */
  readonly turn?: (() => TurnTerms | undefined) | undefined;
}

/** What may change while calls run; those keep what they began with where that matters to them. */
export type CallTerms = Pick<
  B2buaOptions,
  "codecs" | "whenFull" | "pageRingback" | "clients" | "preanswerPatienceMs" | "headersToPage" | "outbound"
>;

/** What the B2BUA tells. */
export type B2buaEvents = {
  /** A call is over and its last counters are in. */
  ended: [record: CallRecord];
};

/** Whom a client that does not speak SIP calls. */
export type ClientOrder = Omit<Dialling, "dialled">;

/** When a caller may try again after a stop, seconds: a restart takes less. */
const closingRetrySeconds = 10;
/** The same while the gateway is drained, which takes as long as its calls. */
const drainingRetrySeconds = 30;

/** Makes calls of INVITEs, from either side, and keeps them until they are over. */
export class B2bua {
  readonly events: TypedEvents<B2buaEvents>;
  /** How all calls sounded, for the metrics. */
  readonly quality = new QualityTotals();
  /** True: no new call is taken from either side (503); those that run are served as ever, transfers included. */
  draining = false;
  /** Calls begun since the start. */
  setUps = 0;
  /** Calls asked for since the start that never began, by the status they got: 480, 486, 503 (being drained) and others. */
  readonly refusals = new Map<number, number>();
  readonly #options: B2buaOptions;
  #services: CallServices;
  readonly #legs: SipAgentLegs;
  #wrtcLegs: AgentLegs<WrtcPresence> | undefined;
  readonly #calls = new RunningCalls();
  readonly #echoes = new EchoCalls(() => this.#services);
  readonly #endedDialogs: EndedDialogs;
  readonly #log: Logger;
  readonly #fromTrunk: MethodTable;
  readonly #fromBrowser: MethodTable;
  readonly #notices: TrunkNotices;
  readonly #messageWaiting: MessageWaiting;
  readonly #turnNotices: TurnNotices;
  readonly #unsubscribe: (() => void)[];
  #closing = false;

  constructor(options: B2buaOptions) {
    this.#options = options;
    this.#log = options.context.log.child({ room: "b2bua" });
    this.events = new TypedEvents(this.#log);
    this.#services = {
      ...options,
      quality: this.quality,
      dialled: (uri) => dialledNumber(uri, options.registrar),
      legOfDn: (dn, replaces) => this.#calls.legOfDn(dn, replaces),
      onMessageSummary: (dn, request) => this.#messageWaiting.note(dn, request),
    };
    this.#endedDialogs = new EndedDialogs(options.context.clock);
    this.#legs = new SipAgentLegs(options);
    this.#notices = new TrunkNotices(options, options.registrar, options.trunkRegistrations);
    this.#messageWaiting = new MessageWaiting(options, options.registrar, options.trunkRegistrations);
    this.#turnNotices = new TurnNotices(options, options.registrar, options.turn ?? (() => undefined));
    const answerOptions = (request: SipRequest, transaction: ServerTransaction): void =>
      transaction.respond(
        createResponse(request, this.#closing ? 503 : 200, {
          headers: [["Accept", "application/sdp"], ...this.#trunkCapabilities.headers],
        }),
      );
    this.#fromTrunk = {
      INVITE: (request, transaction) => this.#callToAgent(request, transaction),
      // Any user, even a trunk's name: the answer says that we live (genesys-sip-server.md 9).
      OPTIONS: answerOptions,
      NOTIFY: (request, transaction) => this.#strayNotify(request, transaction),
      REFER: (request, transaction) => this.#callByRefer(request, transaction),
    };
    this.#fromBrowser = {
      INVITE: (request, transaction) => this.#callFromAgent(request, transaction),
      OPTIONS: answerOptions,
    };
    const { events } = options.registrar;
    this.#unsubscribe = [
      events.on("signed-out", (presence, reason) => this.#signedOut(presence, reason)),
      events.on("flow-lost", (presence) => {
        for (const call of this.#calls.of(presence)) call.agentLost();
      }),
      events.on("flow-resumed", (presence) => {
        for (const call of this.#calls.of(presence)) call.agentMoved();
      }),
    ];
  }

  /** For calls that begin from now on. */
  configure(terms: CallTerms): void {
    this.#services = { ...this.#services, ...terms };
  }

  /** Running calls, set-up included. */
  get size(): number {
    return this.#calls.size;
  }

  /** The running calls, those being set up included. */
  calls(): CallSummary[] {
    return this.#calls.running.map(summaryOf);
  }

  /**
   * Writes the media packets of a running call to a file. Undefined: there is no such call. Rejects with
   * CaptureRefusedError, and with RangeError on options out of bounds.
   */
  async captureCall(id: string, options: CallCaptureOptions): Promise<RunningCapture | undefined> {
    const call = this.#calls.byId(id);
    return call && startCapture(call, options);
  }

  /** The capture that runs of a call, to stop it. */
  captureOf(id: string): RunningCapture | undefined {
    return this.#calls.byId(id)?.mediaSession?.capture;
  }

  /** Hangs up both sides of a running call, with the reason; false: there is no such call. */
  hangUp(id: string): boolean {
    const call = this.#calls.byId(id);
    call?.end(endedByOperator);
    return call !== undefined;
  }

  /**
   * Whether this signed-in client has a call to come back to: a lost socket then has the longer grace time. What it
   * was just dialling does not count: browsers give that up with the socket, and nobody would hear the answer.
   */
  hasCall(dn: string, instance: string): boolean {
    return this.#calls.some(
      ({ presence, ended, dialling }) =>
        presence.dn === dn && presence.instance === instance && !ended && !dialling,
    );
  }

  /** Whether a call goes by this connection, be its client still signed in or not. */
  hasCallOn(flow: Flow): boolean {
    return this.#calls.some((_call, presence) => presence.kind === "sip" && presence.carries(flow));
  }

  /** Whether this client has a call, one that is being set up included. */
  busy(presence: AgentPresence): boolean {
    return this.#echoes.has(presence) || this.#calls.running.some((call) => call.presence === presence);
  }

  /** Whether any client of the DN has a call, signed in still or not. */
  hasCallOf(dn: string): boolean {
    return this.#calls.some(({ ended }, presence) => presence.dn === dn && !ended);
  }

  /** Clients of the WRTC HTTP protocol are rung by these from now on. */
  useWrtcLegs(legs: AgentLegs<WrtcPresence>): void {
    this.#wrtcLegs = legs;
  }

  /** A SIP Server does not answer: calls that go by it are looked after. */
  serverDown(server: Flow): void {
    for (const call of this.#calls.at(server)) call.serverDown();
  }

  /** Whether a call goes by this SIP Server. */
  hasCallAt(server: Flow): boolean {
    return this.#calls.at(server).length > 0;
  }

  /** `turn` says something else than before: pages are told. */
  turnChanged(): void {
    this.#turnNotices.renew();
  }

  /** Requests outside any dialog, from SIP Server. */
  handleFromTrunk(request: SipRequest, transaction: ServerTransaction): void {
    const terms = this.#options.trunkTerms ?? defaultTrunkTerms;
    if (this.#refuseTerms(this.#fromTrunk, terms, request, transaction)) return;
    handleMethod(this.#fromTrunk, this.#trunkCapabilities, request, transaction);
  }

  /** Requests outside any dialog, from a browser; REGISTER goes to the registrar instead. */
  handleFromBrowser(request: SipRequest, transaction: ServerTransaction): void {
    if (this.#refuseTerms(this.#fromBrowser, browserTerms, request, transaction)) return;
    const methods = [...Object.keys(this.#fromBrowser), "REGISTER"];
    const capabilities = capabilitiesOf(methods, [], this.#options.userAgent, browserTerms.options);
    handleMethod(this.#fromBrowser, capabilities, request, transaction);
  }

  get #trunkCapabilities() {
    return trunkCapabilities(this.#options.userAgent, this.#options.trunkTerms);
  }

  /** 420 and 422; a method nobody handles gets 405 whatever it asks for (RFC 3261 8.2). */
  #refuseTerms(
    table: MethodTable,
    terms: SessionTerms,
    request: SipRequest,
    transaction: ServerTransaction,
  ): boolean {
    return handlerOf(table, request.method) !== undefined && refuseByTerms(request, transaction, terms);
  }

  /**
   * Ends every call with BYE, takes no new one and stops listening; calls write their records as their media closes.
   * Idempotent.
   */
  close(reason: string): void {
    this.#closing = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#unsubscribe.length = 0;
    this.#notices.close();
    this.#messageWaiting.close();
    this.#turnNotices.close();
    for (const call of this.#calls.all) call.end(reason, 503);
    this.#echoes.end({ status: 503, reason });
  }

  #callToAgent(request: SipRequest, transaction: ServerTransaction): void {
    const refuse = (status: number, reason?: string): void => {
      this.#tellRefusal(request, status, reason);
      transaction.respond(createResponse(request, status, reason === undefined ? {} : { reason }));
    };
    if (this.#refuseInvite(request, transaction)) return;
    if (request.headers.has("Replaces")) return this.#replaceTrunk(request, transaction);
    if (this.#refuseDraining(request, transaction)) return;
    // SIP Server leaves the user out when the registered contact had none (genesys-sip-server.md 4).
    const dn = request.uri.user ?? request.to.uri.user ?? "";
    const presence = this.#called(dn);
    if ("status" in presence) return refuse(presence.status, presence.reason);
    this.#start(this.#ringing(presence, transaction), presence);
  }

  #ringing(presence: KnownPresence, transaction: ServerTransaction): Call {
    if (presence.kind === "sip") return new CallToAgent(this.#services, presence, this.#legs, transaction);
    return new CallToAgent(this.#services, presence, this.#otherLegs, transaction);
  }

  get #otherLegs(): AgentLegs<WrtcPresence> {
    return this.#wrtcLegs ?? { invite: () => Promise.resolve(undefined) };
  }

  /** Who takes a call for `dn`: a client of the WRTC HTTP protocol has one at a time. */
  #called(dn: string): KnownPresence | { readonly status: number; readonly reason?: string } {
    const free = (presence: KnownPresence): boolean => presence.kind === "sip" || !this.busy(presence);
    const presence = this.#options.registrar.find(dn, free);
    if (!presence) return { status: 480, reason: "Agent Not Signed In" };
    const full = this.#calls.countOf(presence.dn) >= this.#options.callsPerDn;
    return full || !free(presence) ? { status: 486 } : presence;
  }

  /** INVITE with Replaces: no new call, but another leg of a running one. */
  #replaceTrunk(request: SipRequest, transaction: ServerTransaction): void {
    const found = findReplaced(request, this.#calls.all, this.#endedDialogs);
    if (!("status" in found)) return found.transfers.replace(transaction);
    const { status, reason } = found;
    transaction.respond(createResponse(request, status, reason === undefined ? {} : { reason }));
  }

  /** REFER outside any dialog: the DN is to call its target. */
  #callByRefer(request: SipRequest, transaction: ServerTransaction): void {
    const refuse = (status: number, reason?: string, headers: readonly HeaderPair[] = []): void =>
      transaction.respond(createResponse(request, status, { ...(reason ? { reason } : {}), headers }));
    if (this.#closing) return refuse(503, undefined, [["Retry-After", String(closingRetrySeconds)]]);
    const wish = readRefer(request);
    if ("status" in wish) return refuse(wish.status, wish.reason, wish.headers);
    if (this.#refuseDraining(request, transaction)) return;
    const number = numberOf(wish.target);
    if (number === undefined) return refuse(400, "No Number In Refer-To");
    const presence = this.#called(request.uri.user ?? request.to.uri.user ?? "");
    if ("status" in presence) return refuse(presence.status, presence.reason);
    const call =
      presence.kind === "sip"
        ? new CallByRefer(this.#services, presence, this.#legs, transaction, wish, number)
        : new CallByRefer(this.#services, presence, this.#otherLegs, transaction, wish, number);
    this.#start(call, presence);
  }

  #callFromAgent(request: SipRequest, transaction: ServerTransaction): void {
    const refuse = (status: number, reason: string): void => {
      this.#tellRefusal(request, status, reason);
      transaction.respond(createResponse(request, status, { reason }));
    };
    if (this.#refuseInvite(request, transaction)) return;
    const presence = this.#options.registrar.findByFlow(transaction.flow);
    if (!presence) return refuse(403, "Register First");
    if (request.from.uri.user !== presence.dn) return refuse(403, "From Is Not Your DN");
    const token = request.headers.get(resumeHeader);
    if (token !== undefined) return this.#resume(presence, token, transaction);
    if (this.#refuseDraining(request, transaction)) return;
    if (this.#calls.countOf(presence.dn) >= this.#options.callsPerDn) return refuse(486, "Too Many Calls");
    const number = dialledNumber(request.uri, this.#options.registrar);
    if (number === undefined) return refuse(404, "GRUU Is Not Valid");
    const dialled = readDialled(this.#services.outbound ?? plainOutbound, request, number);
    const makeLeg: MakeCallingLeg = (user) => this.#legs.take(presence, transaction, user);
    this.#start(new CallFromAgent(this.#services, presence, { number, dialled }, makeLeg), presence);
  }

  /**
   * A client that does not speak SIP calls `number`. Undefined: the call has begun, and its leg hears of all else; else
   * why there is none.
   */
  callFromClient(presence: WrtcPresence, order: ClientOrder, makeLeg: MakeCallingLeg): LegEnd | undefined {
    const refuse = (status: number, reason: string): LegEnd =>
      this.#refuseClient(presence, order, status, reason);
    const refusal = this.#unfit(presence);
    if (refusal) return refuse(refusal.status, refusal.reason);
    if (this.#calls.countOf(presence.dn) >= this.#options.callsPerDn) return refuse(486, "Too Many Calls");
    const dialled = readNumber(this.#services.outbound ?? plainOutbound, order.number);
    this.#start(new CallFromAgent(this.#services, presence, { ...order, dialled }, makeLeg), presence);
    return undefined;
  }

  /** As `callFromClient`, but the client hears itself and SIP Server hears nothing of it; see `EchoCalls`. */
  echoToClient(presence: WrtcPresence, makeLeg: MakeCallingLeg): LegEnd | undefined {
    const refusal = this.#unfit(presence) ?? this.#echoes.start(presence, makeLeg);
    return refusal && this.#refuseClient(presence, { number: "self" }, refusal.status, refusal.reason);
  }

  /** Echo calls that run. */
  get echoes(): number {
    return this.#echoes.size;
  }

  #unfit(presence: WrtcPresence): LegEnd | undefined {
    if (this.#closing) return { status: 503, reason: "gateway is shutting down" };
    if (this.draining) return { status: 503, reason: "Being Drained" };
    return this.busy(presence) ? { status: 486, reason: "one call at a time" } : undefined;
  }

  #refuseClient({ dn }: WrtcPresence, { number }: ClientOrder, status: number, reason: string): LegEnd {
    this.refusals.set(status, (this.refusals.get(status) ?? 0) + 1);
    this.#log.info({ to: number, from: dn, status, reason }, "call refused");
    return { status, reason };
  }

  /** A page that was loaded anew takes the call over that the page before it had; nobody else's call can be meant. */
  #resume(presence: SipPresence, token: string, transaction: ServerTransaction): void {
    const { request } = transaction;
    const call = this.#calls.of(presence).find((one) => one.admits(token));
    if (!call) {
      this.#log.warn({ dn: presence.dn }, "no call can be resumed by this token");
      return transaction.respond(createResponse(request, 481, { reason: "No Such Call To Resume" }));
    }
    const sdp = request.contentType === "application/sdp" ? request.body.toString("utf8") : "";
    call.attach(sdp, (user) => this.#legs.take(presence, transaction, user).leg);
  }

  #start(call: Call, presence: KnownPresence): void {
    this.setUps++;
    this.#calls.add(call, presence);
    call.events.on("active", () => keepOneActive(this.#calls.all, call));
    call.events.on("ended", (record) => this.#ended(call, record));
    call.start().catch((error: unknown) => {
      this.#log.error({ err: error, call: call.id }, "call set-up failed");
      call.end("fault in call set-up", 500);
    });
  }

  /** A call that is none, as nobody could take it: it has no record, but a line that says why it did not ring. */
  #tellRefusal({ uri, from, callId }: SipRequest, status: number, reason: string | undefined): void {
    this.refusals.set(status, (this.refusals.get(status) ?? 0) + 1);
    this.#log.info({ to: uri.user, from: from.uri.user, callId, status, reason }, "call refused");
  }

  /** A new call while the gateway is drained. True when it was refused. */
  #refuseDraining(request: SipRequest, transaction: ServerTransaction): boolean {
    if (!this.draining) return false;
    this.#tellRefusal(request, 503, "Being Drained");
    const headers: HeaderPair[] = [["Retry-After", String(drainingRetrySeconds)]];
    transaction.respond(createResponse(request, 503, { reason: "Being Drained", headers }));
    return true;
  }

  /** What no INVITE of either side may ask for. True when it was refused. */
  #refuseInvite(request: SipRequest, transaction: ServerTransaction): boolean {
    const refuse = (status: number, name: string, value: string): true => {
      transaction.respond(createResponse(request, status, { headers: [[name, value]] }));
      return true;
    };
    if (this.#closing) return refuse(503, "Retry-After", String(closingRetrySeconds));
    if (request.body.length > 0 && request.contentType !== "application/sdp")
      return refuse(415, "Accept", "application/sdp");
    return false;
  }

  #strayNotify(request: SipRequest, transaction: ServerTransaction): void {
    const summary = eventOf(request) === "message-summary";
    transaction.respond(createResponse(request, summary ? 200 : 481));
    if (summary) this.#messageWaiting.note(request.uri.user ?? request.to.uri.user ?? "", request);
  }

  /** A connection is gone. A client that had signed out, or was replaced, kept its calls only by that connection. */
  connectionLost(): void {
    for (const call of this.#calls.all) {
      const { gone, reachable } = call.presence;
      if (gone && !reachable) call.end("agent's browser signed out and closed its connection", 480);
    }
  }

  /** A client that is gone for good ends its calls, but one that still has its socket keeps them. */
  #signedOut(presence: KnownPresence, reason: string): void {
    if (presence.reachable) return;
    for (const call of this.#calls.of(presence)) call.end(`agent's browser is gone: ${reason}`, 480);
    this.#echoes.end({ status: 480, reason }, presence);
  }

  #ended(call: Call, record: CallRecord): void {
    this.#calls.delete(call);
    if (!this.#closing) keepOneActive(this.#calls.all, call);
    for (const callId of [record.trunkLeg.callId, ...record.trunkLeg.formerCallIds])
      this.#endedDialogs.add(callId);
    this.#log.info(callFigures(record), "call over");
    this.#log.debug({ record }, "call record");
    this.events.emit("ended", record);
  }
}
