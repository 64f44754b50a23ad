import { randomId, type Logger } from "../../core/index.ts";
import {
  createResponse,
  dialogKey,
  IncomingInvite,
  OutgoingInvite,
  transportParameter,
  type Authentication,
  type Dialog,
  type Flow,
  type HeaderPair,
  type IncomingRefer,
  type OfferReply,
  type Replaces,
  type ServerTransaction,
  type Session,
  type SessionContext,
  type SessionEnd,
  type SessionFailure,
  type SessionIdentity,
  type SessionRoute,
  type SessionState,
  type SessionTerms,
  type SessionUser,
  type SipRequest,
  type SipResponse,
} from "../../sip/index.ts";
import type { LegEnd } from "./agent-leg.ts";
import { controlEvents, type ControlEvent } from "../call/call-control.ts";
import { CallData, quotedName } from "./caller-data.ts";
import type { DialogAnswer } from "../call/dialog-check.ts";
import { readDigits, type DigitsWanted } from "./dtmf.ts";
import { LegRefers, type ReferUser } from "./leg-refers.ts";
import { eventOf } from "../clients/message-waiting.ts";
import { capabilitiesOf, handlerOf, refuseMethod, type Capabilities } from "./methods.ts";
import { OutboundAttempts, type OutboundTarget } from "../outbound/outbound-attempts.ts";
import { callerIdHeaders, plainOutbound, type OutboundPolicy } from "../outbound/outbound-policy.ts";
import type { TrunkServer } from "../outbound/outbound-servers.ts";
import { userPartOf } from "../outbound/number-rules.ts";
import {
  cancelReason,
  endOfFailure,
  endOfSession,
  reasonHeaders,
  refusalHeaders,
  retryAfterOf,
} from "./reasons.ts";
import { defaultTrunkTerms } from "./session-terms.ts";

/** What SIP Server's leg tells the call. */
export interface TrunkLegUser {
  /** The call's logger for this leg; default: the room's. */
  readonly log?: Logger;
  /** Messages with this Call-ID are this leg's; told before the first one is sent. */
  onDialog?(callId: string): void;
  /** We called: 180 (no `sdp`) or early media. */
  onProgress(status: number, sdp: string, data: readonly HeaderPair[]): void;
  /** We called: another server is tried, what was told of progress is void. */
  onNextServer?(): void;
  /** We called: answered. The leg has acknowledged it. `data`: headers the page may read. */
  onAnswered(sdp: string, data: readonly HeaderPair[]): void;
  /** Over before it was established; status 487 when the caller gave up. */
  onFailed(end: LegEnd): void;
  /** They called without an offer: the ACK's SDP is the answer to ours. Empty when they had offered. */
  onAcknowledged(sdp: string): void;
  /** They called without an offer and had ours in a reliable 180: this is the answer to it. */
  onEarlyAnswer(sdp: string): void;
  /** The answer to a refresh of ours, which repeated our last description. */
  onRefreshAnswer(sdp: string): void;
  /** Whether sound comes from SIP Server's side. */
  mediaFlows(): boolean;
  /** re-INVITE or UPDATE; `sdp` is empty for an offerless one. */
  onOffer(sdp: string, reply: OfferReply): void;
  /** NOTIFY talk, hold, beep or dtmf: 200 is already sent (genesys-sip-server.md 6). `digits` only with dtmf. */
  onControl(event: ControlEvent, digits?: DigitsWanted): void;
  /** X-Genesys-CallUUID is another one than before, or the first that came. */
  onCallUuid(uuid: string): void;
  /** The call's data changed: the lines that say something new, of those the page may read. */
  onCallData(headers: readonly HeaderPair[]): void;
  /** REFER in the established dialog (RFC 3515). */
  onRefer(refer: IncomingRefer): void;
  onEnded(end: LegEnd): void;
  /** See `SessionUser.onPeerSilent`. */
  onSilent(cause: string): void;
}

/** What else a call of ours has than number and offer. */
export interface CallExtras {
  readonly headers?: readonly HeaderPair[];
  /** The server to call, and no other, instead of the one for new calls. */
  readonly flow?: Flow;
  /** Whether the caller asks for `Privacy: id`. */
  readonly anonymous?: boolean;
}

/** How SIP Server is reached. */
export interface Trunk {
  /** `host:port` of our SIP socket as SIP Server sees it; host of our Contacts. */
  readonly contactHost: string;
  /** The server for a call of `dn`'s, or for its next attempt besides those `excluded`; undefined while none is up. */
  server(dn: string, excluded?: readonly Flow[]): TrunkServer | undefined;
  /** A server asked not to be called for `ms` (503 with Retry-After). */
  avoid(server: Flow, ms: number): void;
  /** An INVITE sent at `sentAt` (clock time) got no response, or could not be sent. */
  unanswered(server: Flow, sentAt: number): void;
  /** Flow for a request within a dialog whose next hop is `uri`; undefined when that host is not allowed. */
  flowTo(uri: string): Flow | undefined;
  /** The agent's name for From of the calls the agent dials, undefined when none is configured. */
  displayName(dn: string): string | undefined;
  /** Digest credentials of the DN, undefined when there are none. */
  authentication(dn: string): Authentication | undefined;
}

/** What SIP Server's legs share. */
export interface TrunkLegOptions {
  readonly context: SessionContext;
  readonly trunk: Trunk;
  readonly userAgent: string;
  /** What sessions with SIP Server agree to. Default: `defaultTrunkTerms`. */
  readonly trunkTerms?: SessionTerms;
  /** NOTIFY message-summary for the DN; already answered. */
  readonly onMessageSummary: (dn: string, request: SipRequest) => void;
  /** Names of SIP Server's headers that pages may read; `*` stands for anything. */
  readonly headersToPage: readonly string[];
  /** Default: all numbers, as dialled. */
  readonly outbound?: OutboundPolicy;
}

type LegMethod = (leg: TrunkLeg, request: SipRequest, transaction: ServerTransaction) => void;

const who = "SIP Server";
/** As Genesys advises for non-INVITE transactions, ms (genesys-sip-server.md 10). */
const probeTimeoutMs = 4000;
const callUuidHeader = "X-Genesys-CallUUID";
/** Enough for every transfer of a call, and no endless row. */
const maximumCallUuids = 16;

/** SIP Server's leg of one call: an ordinary phone's dialog, plus its third-party call control by NOTIFY. */
export class TrunkLeg implements SessionUser {
  readonly dn: string;
  readonly #options: TrunkLegOptions;
  #user: TrunkLegUser;
  readonly #capabilities: Capabilities;
  #serverFlow: Flow | undefined;
  #incoming: IncomingInvite | undefined;
  #outgoing: OutboundAttempts | undefined;
  readonly #refers = new LegRefers(() => this.#session);
  /** Allow as SIP Server last said it; it differs from message to message. */
  #allowed: readonly string[] = [];
  /** Each X-Genesys-CallUUID seen, the last one last: it may change in mid-call after a transfer. */
  readonly callUuids: string[] = [];
  readonly #data: CallData;

  /** What is handled within SIP Server's dialogs; its keys make the Allow header. */
  static readonly methods: Readonly<Record<string, LegMethod>> = {
    NOTIFY: (leg, request, transaction) => leg.#receiveNotify(request, transaction),
    INFO: (leg, request, transaction) => leg.#receiveInfo(request, transaction),
    OPTIONS: (_leg, request, transaction) => transaction.respond(createResponse(request, 200)),
    MESSAGE: (_leg, request, transaction) => transaction.respond(createResponse(request, 200)),
    REFER: (leg, request, transaction) =>
      leg.#refers.receive(request, transaction, (refer) => leg.#user.onRefer(refer)),
  };

  constructor(dn: string, options: TrunkLegOptions, user: TrunkLegUser) {
    this.dn = dn;
    const { context } = options;
    this.#options = user.log ? { ...options, context: { ...context, log: user.log } } : options;
    this.#user = user;
    this.#data = new CallData(options.headersToPage);
    this.#capabilities = trunkCapabilities(options.userAgent, options.trunkTerms);
  }

  get callId(): string {
    return this.#incoming?.request.callId ?? this.#outgoing?.invite.callId ?? "";
  }

  /** X-Genesys-CallUUID as last seen. */
  get callUuid(): string | undefined {
    return this.callUuids.at(-1);
  }

  /** The SIP Server that the call came from or went to first. */
  get server(): Flow | undefined {
    return this.#serverFlow;
  }

  get #session(): Session | undefined {
    return this.#incoming?.session ?? this.#outgoing?.invite.session;
  }

  get dialog(): Dialog | undefined {
    return this.#session?.dialog;
  }

  /** The way to the server that the leg is at; undefined before there is one. */
  get flow(): Flow | undefined {
    const hop = this.dialog?.nextHop;
    return (hop === undefined ? undefined : this.#options.trunk.flowTo(hop)) ?? this.#serverFlow;
  }

  /** `host:port` of that server; empty before there is one. */
  get serverHost(): string {
    const { flow } = this;
    return flow ? `${flow.remoteAddress}:${flow.remotePort}` : "";
  }

  /** Where the dialog stands that a Replaces names; undefined when it is not this leg's. */
  standingOf({ callId, toTag, fromTag }: Replaces): SessionState | undefined {
    const session = this.#session;
    return session?.hasDialog(dialogKey(callId, toTag, fromTag)) ? session.state : undefined;
  }

  /** False when SIP Server said what it allows and `method` was not in it. */
  allows(method: string): boolean {
    return this.#allowed.length === 0 || this.#allowed.includes(method);
  }

  /** This leg takes the place of `former`: the call's earlier UUIDs come before its own. */
  succeed(former: TrunkLeg): void {
    const own = this.callUuids.splice(0);
    const earlier = former.callUuids.filter((uuid) => !own.includes(uuid));
    this.callUuids.push(...[...earlier, ...own].slice(-maximumCallUuids));
  }

  /** From now on `user` is told what this leg does. */
  handTo(user: TrunkLegUser): void {
    this.#user = user;
  }

  get identity(): SessionIdentity {
    return {
      // SIP Server may take the DN from the Contact's user part (genesys-sip-server.md 2.1 use-contact-as-dn).
      contact: `<sip:${this.dn}@${this.#options.trunk.contactHost}${this.#serverFlow ? transportParameter(this.#serverFlow) : ""}>`,
      headers: this.#capabilities.headers,
    };
  }

  get #parts() {
    const { trunk } = this.#options;
    const authentication = trunk.authentication(this.dn);
    const route: SessionRoute = {
      // A connection of SIP Server's that is gone is no way back: then the server in use is.
      flow: (nextHop) =>
        trunk.flowTo(nextHop) ??
        (this.#serverFlow?.open ? this.#serverFlow : (trunk.server(this.dn)?.flow ?? this.#serverFlow)),
      waitForFlow: () => Promise.resolve(undefined),
      accepts: (flow) => flow.side === "trunk",
    };
    const terms = this.#options.trunkTerms ?? defaultTrunkTerms;
    return {
      route,
      identity: this.identity,
      user: this,
      terms,
      ...(authentication ? { authentication } : {}),
    };
  }

  /** Takes an INVITE of SIP Server's for this DN. */
  take(transaction: ServerTransaction): IncomingInvite {
    this.#serverFlow = transaction.flow;
    this.#user.onDialog?.(transaction.request.callId);
    this.#note(transaction.request);
    this.#data.note(transaction.request);
    this.#incoming = new IncomingInvite(this.#options.context, transaction, this.#parts);
    return this.#incoming;
  }

  /** Calls `number` for this DN. False when no server is up. */
  call(number: string, sdp: string, extras: CallExtras = {}): boolean {
    const { context, trunk, outbound = plainOutbound } = this.#options;
    const server = extras.flow ? serverAt(extras.flow) : trunk.server(this.dn);
    if (!server) return false;
    const callId = `${randomId(context.random, 16)}@${trunk.contactHost.replace(/:\d+$/, "")}`;
    this.#user.onDialog?.(callId);
    this.#outgoing = new OutboundAttempts(
      {
        context,
        dn: this.dn,
        trunk,
        shutdownStatus: outbound.shutdownStatus,
        invite: (target, previous) => this.#invite(target, previous, { callId, sdp, extras }),
        onNext: () => this.#user.onNextServer?.(),
      },
      { ...server, user: userPartOf(number) },
    );
    if (extras.flow) this.#outgoing.stop();
    return true;
  }

  #invite(
    { flow, host, user }: OutboundTarget,
    previous: OutgoingInvite | undefined,
    { callId, sdp, extras }: { callId: string; sdp: string; extras: CallExtras },
  ): OutgoingInvite {
    const { context, trunk, outbound = plainOutbound } = this.#options;
    const { anonymous = false, headers = [] } = extras;
    const caller = { uri: `sip:${this.dn}@${host}`, displayName: trunk.displayName(this.dn), anonymous };
    const target = {
      uri: `sip:${user}@${host}`,
      from: `${quotedName(caller.displayName)}<${caller.uri}>`,
      to: `<sip:${user}@${host}>`,
      callId,
      headers: [...callerIdHeaders(outbound, caller), ...headers],
      sdp,
      ...(previous ? { previous: previous.request } : {}),
    };
    this.#serverFlow = flow;
    return new OutgoingInvite(context, flow, target, this.#parts);
  }

  /** Asks SIP Server to call `referTo` in our place (RFC 3515); `user` hears what comes of it. */
  refer(referTo: string, user: ReferUser): void {
    const referredBy: HeaderPair = ["Referred-By", `<sip:${this.dn}@${this.serverHost}>`];
    this.#refers.send([["Refer-To", referTo], referredBy, ...this.#capabilities.headers], user);
  }

  /** What is told of our REFER from now on nobody wants to hear. */
  forgetRefer(): void {
    this.#refers.forget();
  }

  /** 180, with our offer where an offerless INVITE requires it to be reliable (`IncomingInvite.reliable`). */
  ring(sdp?: string): void {
    this.#incoming?.progress(180, sdp);
  }

  answer(sdp: string): void {
    this.#incoming?.accept(sdp);
  }

  /** Asks SIP Server to take a new description of ours (hold, retrieve). */
  reinvite(sdp: () => string, onAnswer: (sdp: string) => void, onFailed: (status: number) => void): void {
    this.#session?.reinvite(sdp, {
      onAnswer: (answer) => {
        onAnswer(answer);
        return undefined;
      },
      onFailed: (status, reason) => {
        const { log } = this.#options.context;
        log.warn({ callId: this.callId, status, reason }, "re-INVITE refused by SIP Server");
        onFailed(status);
      },
    });
  }

  /** Asks by OPTIONS whether SIP Server still has the call, without consequences for the session. */
  probe(done: (answer: DialogAnswer) => void): void {
    const { context, trunk } = this.#options;
    const dialog = this.#session?.dialog;
    const flow = dialog && (trunk.flowTo(dialog.nextHop) ?? this.#serverFlow);
    if (!dialog || !flow) return done("silent");
    const silent = (): void => done("silent");
    context.transactions.request(
      dialog.createRequest("OPTIONS", [["Contact", this.#parts.identity.contact]]),
      flow,
      {
        onResponse: ({ status }) => {
          if (status >= 200) done(status === 481 ? "unknown" : status === 408 ? "silent" : "alive");
        },
        onTimeout: silent,
        onTransportError: silent,
      },
      { timeoutMs: probeTimeoutMs },
    );
  }

  /** Ends or refuses the leg in whatever state it is. Idempotent. */
  end(end: LegEnd): void {
    if (this.#incoming?.pending) this.#incoming.reject(end.status, undefined, refusalHeaders(end));
    else if (this.#outgoing?.invite.pending) this.#outgoing.cancel(cancelReason(end));
    else this.#session?.bye(reasonHeaders(end));
  }

  close(): void {
    this.#outgoing?.stop();
    this.#session?.close();
  }

  onProvisional(response: SipResponse): void {
    this.#outgoing?.noteProgress(response);
    this.#note(response);
    this.#user.onProgress(response.status, response.body.toString("utf8"), this.#data.note(response).shown);
  }

  onAnswered(response: SipResponse): void {
    this.#note(response);
    this.#session?.acknowledge(response.cseq.sequence);
    this.#user.onAnswered(response.body.toString("utf8"), this.#data.note(response).shown);
  }

  onFailed(failure: SessionFailure): void {
    if (this.#outgoing?.goesOn(failure)) return;
    const retryAfterSeconds = retryAfterOf(failure.response);
    const end = endOfFailure(failure, who);
    this.#user.onFailed(retryAfterSeconds === undefined ? end : { ...end, retryAfterSeconds });
  }

  onAcknowledged(body: string): void {
    this.#user.onAcknowledged(body);
  }

  onEarlyAnswer(sdp: string): void {
    this.#user.onEarlyAnswer(sdp);
  }

  onRefreshAnswer(sdp: string): void {
    this.#user.onRefreshAnswer(sdp);
  }

  mediaFlows(): boolean {
    return this.#user.mediaFlows();
  }

  onPeerSilent(cause: string): void {
    this.#user.onSilent(cause);
  }

  onOffer(sdp: string, request: SipRequest, reply: OfferReply): void {
    this.#note(request);
    this.#user.onOffer(sdp, reply);
    const { changed } = this.#data.note(request);
    if (changed.length > 0) this.#user.onCallData(changed);
  }

  onUpdate(request: SipRequest): void {
    this.#note(request);
  }

  onRequest(request: SipRequest, transaction: ServerTransaction): void {
    const handler = handlerOf(TrunkLeg.methods, request.method);
    if (handler) handler(this, request, transaction);
    else refuseMethod(this.#capabilities, request, transaction);
  }

  onEnded(end: SessionEnd): void {
    this.#user.onEnded(endOfSession(end, who));
  }

  /** No SUBSCRIBE ever precedes these; the 200 goes out first, the act follows (genesys-sip-server.md 6). */
  #receiveNotify(request: SipRequest, transaction: ServerTransaction): void {
    const event = eventOf(request);
    const control = controlEvents.find((name) => name === event);
    if (event === "refer") return this.#refers.receiveNotify(request, transaction);
    const known = control !== undefined || event === "message-summary";
    const { headers } = this.#capabilities;
    transaction.respond(createResponse(request, known ? 200 : 489, { headers }));
    if (!known) return;
    this.#note(request);
    if (control === undefined) return this.#options.onMessageSummary(this.dn, request);
    if (control !== "dtmf") return this.#user.onControl(control);
    const wanted = readDigits(request.body.toString("utf8"));
    if (wanted) this.#user.onControl(control, wanted);
  }

  #receiveInfo(request: SipRequest, transaction: ServerTransaction): void {
    // Digits of the far party's: who listens for them is SIP Server's side, and a browser has no use for any.
    const known = request.body.length === 0 || request.contentType?.startsWith("application/dtmf");
    transaction.respond(createResponse(request, known ? 200 : 415, { headers: this.#capabilities.headers }));
  }

  #note(message: SipRequest | SipResponse): void {
    if (message.headers.has("Allow")) this.#allowed = message.headers.values("Allow");
    const uuid = message.headers.get(callUuidHeader);
    if (uuid === undefined || uuid === "" || uuid === this.callUuid) return;
    this.callUuids.push(uuid);
    if (this.callUuids.length > maximumCallUuids) this.callUuids.shift();
    this.#user.onCallUuid(uuid);
  }
}

function serverAt(flow: Flow): TrunkServer {
  return { flow, host: `${flow.remoteAddress}:${flow.remotePort}` };
}

/** What our phones say they can toward SIP Server; also the answer to its OPTIONS. */
export function trunkCapabilities(userAgent: string, terms = defaultTrunkTerms): Capabilities {
  return capabilitiesOf(Object.keys(TrunkLeg.methods), controlEvents, userAgent, terms.options);
}
