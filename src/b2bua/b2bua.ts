import type { TypedEvents } from "../core/index.ts";
import type { RunningCapture } from "../media/index.ts";
import type {
  AgentPresence,
  KnownPresence,
  Registrar,
  TrunkRegistrations,
  WrtcPresence,
} from "../registrar/index.ts";
import type { Flow, ServerTransaction, SipRequest } from "../sip/index.ts";
import { startCapture, summaryOf, type CallCaptureOptions, type CallSummary } from "./call/call-capture.ts";
import type { CallServices } from "./call/call-services.ts";
import { endedByOperator } from "./call/call.ts";
import { EchoCalls } from "./call/echo-calls.ts";
import { RunningCalls, type B2buaEvents } from "./call/running-calls.ts";
import type { SipAgentLegOptions } from "./clients/client-event.ts";
import { MessageWaiting } from "./clients/message-waiting.ts";
import { TrunkNotices } from "./clients/trunk-notices.ts";
import type { TurnTerms } from "./clients/turn-credentials.ts";
import { TurnNotices } from "./clients/turn-notices.ts";
import type { AgentLegs, LegEnd, MakeCallingLeg } from "./legs/agent-leg.ts";
import { KnownLegs } from "./legs/known-legs.ts";
import { SipAgentLegs } from "./legs/sip-agent-legs.ts";
import { QualityTotals } from "./media/quality-totals.ts";
import { dialledNumber } from "./outbound/dialled-number.ts";
import { Admission, BrowserUas, ClientOrders, DnLines, TrunkUas, type ClientOrder } from "./uas/index.ts";

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

/** Makes calls of INVITEs, from either side, and keeps them until they are over. */
export class B2bua {
  readonly events: TypedEvents<B2buaEvents>;
  /** How all calls sounded, for the metrics. */
  readonly quality = new QualityTotals();
  #services: CallServices;
  readonly #admission: Admission;
  readonly #calls: RunningCalls;
  readonly #echoes = new EchoCalls(() => this.#services);
  readonly #lines: DnLines;
  readonly #legs: KnownLegs;
  readonly #fromTrunk: TrunkUas;
  readonly #fromBrowser: BrowserUas;
  readonly #fromClient: ClientOrders;
  readonly #notices: TrunkNotices;
  readonly #messageWaiting: MessageWaiting;
  readonly #turnNotices: TurnNotices;
  readonly #unsubscribe: (() => void)[];

  constructor(options: B2buaOptions) {
    const { context, registrar, trunkRegistrations } = options;
    const log = context.log.child({ room: "b2bua" });
    this.#admission = new Admission(log);
    const calls = new RunningCalls(context, log);
    this.#calls = calls;
    this.events = calls.events;
    this.#legs = new KnownLegs(new SipAgentLegs(options));
    this.#lines = new DnLines({ ...options, calls, echoes: this.#echoes });
    this.#notices = new TrunkNotices(options, registrar, trunkRegistrations);
    this.#messageWaiting = new MessageWaiting(options, registrar, trunkRegistrations);
    this.#turnNotices = new TurnNotices(options, registrar, options.turn ?? (() => undefined));
    this.#services = {
      ...options,
      quality: this.quality,
      dialled: (uri) => dialledNumber(uri, registrar),
      legOfDn: (dn, replaces) => calls.legOfDn(dn, replaces),
      onMessageSummary: (dn, request) => this.#messageWaiting.note(dn, request),
    };
    const parts = {
      services: () => this.#services,
      registrar,
      admission: this.#admission,
      lines: this.#lines,
      calls,
      legs: this.#legs,
    };
    this.#fromTrunk = new TrunkUas(parts);
    this.#fromBrowser = new BrowserUas(parts, log);
    this.#fromClient = new ClientOrders(parts, this.#echoes);
    this.#unsubscribe = this.#followClients(registrar);
  }

  #followClients({ events }: Registrar): (() => void)[] {
    return [
      events.on("signed-out", (presence, reason) => this.#signedOut(presence, reason)),
      events.on("flow-lost", (presence) => {
        for (const call of this.#calls.of(presence)) call.agentLost();
      }),
      events.on("flow-resumed", (presence) => {
        for (const call of this.#calls.of(presence)) call.agentMoved();
      }),
    ];
  }

  /** True: no new call is taken from either side (503); those that run are served as ever, transfers included. */
  get draining(): boolean {
    return this.#admission.draining;
  }

  set draining(draining: boolean) {
    this.#admission.draining = draining;
  }

  /** Calls begun since the start. */
  get setUps(): number {
    return this.#calls.begun;
  }

  /** Calls asked for since the start that never began, by the status they got: 480, 486, 503 (being drained) and others. */
  get refusals(): ReadonlyMap<number, number> {
    return this.#admission.refusals;
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
    return this.#calls.some(({ presence }) => presence.kind === "sip" && presence.carries(flow));
  }

  /** Whether this client has a call, one that is being set up included. */
  busy(presence: AgentPresence): boolean {
    return this.#lines.busy(presence);
  }

  /** Whether any client of the DN has a call, signed in still or not. */
  hasCallOf(dn: string): boolean {
    return this.#calls.some(({ presence, ended }) => presence.dn === dn && !ended);
  }

  /** Clients of the WRTC HTTP protocol are rung by these from now on. */
  useWrtcLegs(legs: AgentLegs<WrtcPresence>): void {
    this.#legs.wrtc = legs;
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
    this.#fromTrunk.receive(request, transaction);
  }

  /** Requests outside any dialog, from a browser; REGISTER goes to the registrar instead. */
  handleFromBrowser(request: SipRequest, transaction: ServerTransaction): void {
    this.#fromBrowser.receive(request, transaction);
  }

  /**
   * A client that does not speak SIP calls `number`. Undefined: the call has begun, and its leg hears of all else; else
   * why there is none.
   */
  callFromClient(presence: WrtcPresence, order: ClientOrder, makeLeg: MakeCallingLeg): LegEnd | undefined {
    return this.#fromClient.call(presence, order, makeLeg);
  }

  /** As `callFromClient`, but the client hears itself and SIP Server hears nothing of it; see `EchoCalls`. */
  echoToClient(presence: WrtcPresence, makeLeg: MakeCallingLeg): LegEnd | undefined {
    return this.#fromClient.echo(presence, makeLeg);
  }

  /** Echo calls that run. */
  get echoes(): number {
    return this.#echoes.size;
  }

  /** A connection is gone. A client that had signed out, or was replaced, kept its calls only by that connection. */
  connectionLost(): void {
    for (const call of this.#calls.running) {
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

  /**
   * Ends every call with BYE, takes no new one and stops listening; calls write their records as their media closes.
   * Idempotent.
   */
  close(reason: string): void {
    this.#admission.closing = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#unsubscribe.length = 0;
    this.#notices.close();
    this.#messageWaiting.close();
    this.#turnNotices.close();
    this.#calls.close(reason);
    this.#echoes.end({ status: 503, reason });
  }
}
