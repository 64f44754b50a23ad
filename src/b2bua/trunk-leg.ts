import { randomId } from "../core/index.ts";
import {
  createResponse,
  IncomingInvite,
  OutgoingInvite,
  type Authentication,
  type Flow,
  type HeaderPair,
  type OfferReply,
  type ServerTransaction,
  type Session,
  type SessionContext,
  type SessionEnd,
  type SessionFailure,
  type SessionIdentity,
  type SessionRoute,
  type SessionUser,
  type SipRequest,
  type SipResponse,
} from "../sip/index.ts";
import type { LegEnd } from "./agent-leg.ts";
import { CallData, quotedName } from "./caller-data.ts";
import { readDigits } from "./dtmf.ts";
import { capabilitiesOf, handlerOf, refuseMethod, type Capabilities } from "./methods.ts";
import { cancelReason, endOfFailure, endOfSession, reasonHeaders, refusalHeaders } from "./reasons.ts";

/** What SIP Server's leg tells the call. */
export interface TrunkLegUser {
  /** We called: 180 (no `sdp`) or early media. */
  onProgress(status: number, sdp: string, data: readonly HeaderPair[]): void;
  /** We called: answered. The leg has acknowledged it. `data`: headers the page may read. */
  onAnswered(sdp: string, data: readonly HeaderPair[]): void;
  /** Over before it was established; status 487 when the caller gave up. */
  onFailed(end: LegEnd): void;
  /** They called without an offer: the ACK's SDP is the answer to ours. Empty when they had offered. */
  onAcknowledged(sdp: string): void;
  /** re-INVITE or UPDATE; `sdp` is empty for an offerless one. */
  onOffer(sdp: string, reply: OfferReply): void;
  /** The call's data changed: the lines that say something new, of those the page may read. */
  onCallData(headers: readonly HeaderPair[]): void;
  /** NOTIFY talk, hold, beep: 200 is already sent (genesys-sip-server.md 6). */
  onControl(event: "talk" | "hold" | "beep"): void;
  /** NOTIFY dtmf or INFO: to be sent as RFC 4733 events toward SIP Server. */
  onDigits(digits: string, durationMs: number): void;
  onEnded(end: LegEnd): void;
}

/** How SIP Server is reached. */
export interface Trunk {
  /** `host:port` of our SIP socket as SIP Server sees it; host of our Contacts. */
  readonly contactHost: string;
  /** The server for a new call, undefined while none is up. `host` goes into request URIs. */
  server(): { readonly flow: Flow; readonly host: string } | undefined;
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
  /** Names of SIP Server's headers that pages may read; `*` stands for anything. */
  readonly headersToPage: readonly string[];
}

type LegMethod = (leg: TrunkLeg, request: SipRequest, transaction: ServerTransaction) => void;

const who = "SIP Server";
const controlEvents = ["talk", "hold", "dtmf", "beep"] as const;
const callUuidHeader = "X-Genesys-CallUUID";

/** SIP Server's leg of one call: an ordinary phone's dialog, plus its third-party call control by NOTIFY. */
export class TrunkLeg implements SessionUser {
  readonly dn: string;
  readonly #options: TrunkLegOptions;
  readonly #user: TrunkLegUser;
  readonly #capabilities: Capabilities;
  #serverFlow: Flow | undefined;
  #incoming: IncomingInvite | undefined;
  #outgoing: OutgoingInvite | undefined;
  /** X-Genesys-CallUUID as last seen; it may change in a re-INVITE after a transfer. */
  callUuid: string | undefined;
  readonly #data: CallData;

  /** What is handled within SIP Server's dialogs; its keys make the Allow header. */
  static readonly methods: Readonly<Record<string, LegMethod>> = {
    NOTIFY: (leg, request, transaction) => leg.#receiveNotify(request, transaction),
    INFO: (leg, request, transaction) => leg.#receiveInfo(request, transaction),
    OPTIONS: (_leg, request, transaction) => transaction.respond(createResponse(request, 200)),
    MESSAGE: (_leg, request, transaction) => transaction.respond(createResponse(request, 200)),
  };

  constructor(dn: string, options: TrunkLegOptions, user: TrunkLegUser) {
    this.dn = dn;
    this.#options = options;
    this.#user = user;
    this.#data = new CallData(options.headersToPage);
    this.#capabilities = trunkCapabilities(options.userAgent);
  }

  get callId(): string {
    return this.#incoming?.request.callId ?? this.#outgoing?.callId ?? "";
  }

  get #session(): Session | undefined {
    return this.#incoming?.session ?? this.#outgoing?.session;
  }

  get #parts() {
    const { trunk } = this.#options;
    const authentication = trunk.authentication(this.dn);
    const route: SessionRoute = {
      flow: (nextHop) => trunk.flowTo(nextHop) ?? this.#serverFlow,
      waitForFlow: () => Promise.resolve(undefined),
      accepts: (flow) => flow.protocol === "UDP",
    };
    const identity: SessionIdentity = {
      // SIP Server may take the DN from the Contact's user part (genesys-sip-server.md 2.1 use-contact-as-dn).
      contact: `<sip:${this.dn}@${trunk.contactHost}>`,
      headers: this.#capabilities.headers,
    };
    return { route, identity, user: this, ...(authentication ? { authentication } : {}) };
  }

  /** Takes an INVITE of SIP Server's for this DN. */
  take(transaction: ServerTransaction): IncomingInvite {
    this.#serverFlow = transaction.flow;
    this.#noteCallUuid(transaction.request);
    this.#data.note(transaction.request);
    this.#incoming = new IncomingInvite(this.#options.context, transaction, this.#parts);
    return this.#incoming;
  }

  /** Calls `number` for this DN. False when no server is up. */
  call(number: string, sdp: string): boolean {
    const { context, trunk } = this.#options;
    const server = trunk.server();
    if (!server) return false;
    this.#serverFlow = server.flow;
    const target = {
      uri: `sip:${number}@${server.host}`,
      from: `${quotedName(trunk.displayName(this.dn))}<sip:${this.dn}@${server.host}>`,
      to: `<sip:${number}@${server.host}>`,
      callId: `${randomId(context.random, 16)}@${trunk.contactHost.replace(/:\d+$/, "")}`,
      sdp,
    };
    this.#outgoing = new OutgoingInvite(context, server.flow, target, this.#parts);
    return true;
  }

  ring(): void {
    this.#incoming?.progress(180);
  }

  answer(sdp: string): void {
    this.#incoming?.accept(sdp);
  }

  /** Asks SIP Server to take a new description of ours (hold, retrieve). */
  reinvite(sdp: () => string, onAnswer: (sdp: string) => void): void {
    this.#session?.reinvite(sdp, {
      onAnswer: (answer) => {
        onAnswer(answer);
        return undefined;
      },
      onFailed: (status, reason) =>
        this.#options.context.log.warn(
          { callId: this.callId, status, reason },
          "re-INVITE refused by SIP Server",
        ),
    });
  }

  /** Ends or refuses the leg in whatever state it is. Idempotent. */
  end(end: LegEnd): void {
    if (this.#incoming?.pending) this.#incoming.reject(end.status, undefined, refusalHeaders(end));
    else if (this.#outgoing?.pending) this.#outgoing.cancel(cancelReason(end));
    else this.#session?.bye(reasonHeaders(end));
  }

  close(): void {
    this.#session?.close();
  }

  onProvisional(response: SipResponse): void {
    this.#noteCallUuid(response);
    this.#user.onProgress(response.status, response.body.toString("utf8"), this.#data.note(response).shown);
  }

  onAnswered(response: SipResponse): void {
    this.#noteCallUuid(response);
    this.#session?.acknowledge(response.cseq.sequence);
    this.#user.onAnswered(response.body.toString("utf8"), this.#data.note(response).shown);
  }

  onFailed(failure: SessionFailure): void {
    this.#user.onFailed(endOfFailure(failure, who));
  }

  onAcknowledged(body: string): void {
    this.#user.onAcknowledged(body);
  }

  onOffer(sdp: string, request: SipRequest, reply: OfferReply): void {
    this.#noteCallUuid(request);
    this.#user.onOffer(sdp, reply);
    const { changed } = this.#data.note(request);
    if (changed.length > 0) this.#user.onCallData(changed);
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
    const event = request.headers.get("Event")?.split(";")[0]?.trim().toLowerCase();
    const control = controlEvents.find((name) => name === event);
    if (!control) {
      const bad = event === "message-summary" ? 200 : 489;
      return transaction.respond(createResponse(request, bad, { headers: this.#capabilities.headers }));
    }
    this.#noteCallUuid(request);
    transaction.respond(createResponse(request, 200, { headers: this.#capabilities.headers }));
    if (control !== "dtmf") return this.#user.onControl(control);
    const wanted = readDigits(request.body.toString("utf8"));
    if (wanted) this.#user.onDigits(wanted.digits, wanted.durationMs);
  }

  #receiveInfo(request: SipRequest, transaction: ServerTransaction): void {
    // INFO from SIP Server tells of digits the far party pressed as signalling; nothing in the page takes them yet.
    const known = request.body.length === 0 || request.contentType?.startsWith("application/dtmf");
    transaction.respond(createResponse(request, known ? 200 : 415, { headers: this.#capabilities.headers }));
  }

  #noteCallUuid(message: SipRequest | SipResponse): void {
    this.callUuid = message.headers.get(callUuidHeader) ?? this.callUuid;
  }
}

/** What our phones say they can toward SIP Server; also the answer to its OPTIONS. */
export function trunkCapabilities(userAgent: string): Capabilities {
  return capabilitiesOf(Object.keys(TrunkLeg.methods), controlEvents, userAgent);
}
