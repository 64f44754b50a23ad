import type { SipPresence } from "../registrar/index.ts";
import {
  createRequest,
  createResponse,
  IncomingInvite,
  OutgoingInvite,
  type Flow,
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
import { randomId } from "../core/index.ts";
import type { AgentLeg, AgentLegs, AgentLegUser, Invitation, LegEnd } from "./agent-leg.ts";
import { readDigits } from "./dtmf.ts";
import { capabilitiesOf, handleMethod, type Capabilities, type MethodTable } from "./methods.ts";
import { endOfFailure, endOfSession, reasonHeaders, reasonValue } from "./reasons.ts";

export interface SipAgentLegOptions {
  readonly context: SessionContext;
  /** Host of the URIs shown to browsers. */
  readonly realm: string;
  readonly userAgent: string;
  /** How long a call that is being set up, and one that runs, waits for a lost socket, ms. */
  readonly newCallGraceMs: number;
  readonly callGraceMs: number;
}

const who = "agent's browser";

/** The agent's leg for SIP over WebSocket: its requests go by whatever flow the presence has at the moment. */
class SipAgentLeg implements AgentLeg, SessionUser {
  readonly presence: SipPresence;
  readonly #options: SipAgentLegOptions;
  readonly #capabilities: Capabilities;
  readonly #methods: MethodTable;
  #user: AgentLegUser;
  #incoming: IncomingInvite | undefined;
  #outgoing: OutgoingInvite | undefined;

  constructor(presence: SipPresence, options: SipAgentLegOptions, user: AgentLegUser) {
    this.presence = presence;
    this.#options = options;
    this.#user = user;
    this.#methods = {
      INFO: (request, transaction) => this.#receiveInfo(request, transaction),
      OPTIONS: accept,
      MESSAGE: accept,
    };
    this.#capabilities = capabilitiesOf(Object.keys(this.#methods), [], options.userAgent);
  }

  get callId(): string {
    return this.#incoming?.request.callId ?? this.#outgoing?.callId ?? "";
  }

  get #session(): Session | undefined {
    return this.#incoming?.session ?? this.#outgoing?.session;
  }

  get #identity(): SessionIdentity {
    const contact = `<sip:${this.presence.dn}@${this.#options.realm};transport=ws>`;
    return { contact, headers: this.#capabilities.headers };
  }

  get #route(): SessionRoute {
    const { presence } = this;
    return {
      flow: () => presence.flow,
      waitForFlow: () => presence.waitForFlow(this.#graceMs),
      accepts: (flow) => presence.flow?.id === flow.id,
    };
  }

  /** A call that runs, or that has just ended and owes a BYE, waits longer than one that is being set up. */
  get #graceMs(): number {
    const state = this.#session?.state;
    const early = state === undefined || state === "inviting" || state === "invited";
    return early ? this.#options.newCallGraceMs : this.#options.callGraceMs;
  }

  takeInvite(transaction: ServerTransaction): IncomingInvite {
    this.#incoming = new IncomingInvite(this.#options.context, transaction, {
      route: this.#route,
      identity: this.#identity,
      user: this,
    });
    return this.#incoming;
  }

  sendInvite(flow: Flow, { sdp, caller }: Invitation): void {
    const { context, realm } = this.#options;
    const name =
      caller.displayName === undefined ? "" : `"${caller.displayName.replaceAll(/["\\\r\n]/g, "'")}" `;
    const target = {
      uri: this.presence.contactUri,
      from: `${name}<sip:${caller.number}@${realm}>`,
      to: `<sip:${this.presence.dn}@${realm}>`,
      callId: randomId(context.random, 16),
      headers: caller.headers,
      sdp,
    };
    this.#outgoing = new OutgoingInvite(context, flow, target, {
      route: this.#route,
      identity: this.#identity,
      user: this,
    });
  }

  progress(status: number, sdp?: string): void {
    this.#incoming?.progress(status, sdp);
  }

  answer(sdp: string): void {
    this.#incoming?.accept(sdp);
  }

  reject(end: LegEnd): void {
    this.#incoming?.reject(end.status, undefined, reasonHeaders(end));
  }

  /**
   * NOTIFY outside any dialog that names the ringing leg: JsSIP refuses it inside an early dialog and hands this one
   * to the page. A 200 to it proves nothing; only the 200 to the INVITE does (measured: docs/decisions/0002-calls.md).
   */
  talk(): void {
    const flow = this.presence.flow;
    if (!flow || !this.#outgoing?.pending) return;
    sendEvent(this.#options, this.presence, flow, "talk", [["X-Jackfield-Call-ID", this.callId]]);
  }

  cancel(end: LegEnd): void {
    this.#outgoing?.cancel(end.header ?? reasonValue(end));
  }

  moved(): void {
    if (this.presence.flow) this.#incoming?.rebind(this.presence.flow);
  }

  end(end: LegEnd): void {
    if (this.#outgoing?.pending) this.cancel(end);
    else this.#session?.bye(reasonHeaders(end));
  }

  close(): void {
    this.#session?.close();
  }

  onProvisional(response: SipResponse): void {
    if (response.status === 180 || response.status === 183) this.#user.onRinging();
  }

  onAnswered(response: SipResponse): void {
    this.#session?.acknowledge(response.cseq.sequence);
    this.#user.onAnswered(response.body.toString("utf8"));
  }

  onFailed(failure: SessionFailure): void {
    this.#user.onFailed(endOfFailure(failure, who));
  }

  onAcknowledged(): void {}

  onOffer(sdp: string, _request: SipRequest, reply: OfferReply): void {
    if (sdp === "") reply.reject(488, "Offer Required");
    else this.#user.onOffer(sdp, reply);
  }

  onRequest(request: SipRequest, transaction: ServerTransaction): void {
    handleMethod(this.#methods, this.#capabilities, request, transaction);
  }

  onEnded(end: SessionEnd): void {
    this.#user.onEnded(endOfSession(end, who));
  }

  #receiveInfo(request: SipRequest, transaction: ServerTransaction): void {
    const wanted = request.contentType?.startsWith("application/dtmf")
      ? readDigits(request.body.toString("utf8"))
      : undefined;
    if (!wanted && request.body.length > 0) return transaction.respond(createResponse(request, 415));
    transaction.respond(createResponse(request, 200));
    if (wanted) this.#user.onDigits(wanted.digits, wanted.durationMs);
  }
}

function accept(request: SipRequest, transaction: ServerTransaction): void {
  transaction.respond(createResponse(request, 200));
}

/** Tells a client something outside any dialog; its answer is not waited for. */
export function sendEvent(
  options: Pick<SipAgentLegOptions, "context" | "realm" | "userAgent">,
  presence: SipPresence,
  flow: Flow,
  event: string,
  headers: readonly (readonly [string, string])[],
  body?: string,
): void {
  const { context, realm } = options;
  const request = createRequest({
    method: "NOTIFY",
    uri: presence.contactUri,
    headers: [
      ["Max-Forwards", "70"],
      ["From", `<sip:jackfield@${realm}>;tag=${randomId(context.random)}`],
      ["To", `<sip:${presence.dn}@${realm}>`],
      ["Call-ID", randomId(context.random, 16)],
      ["CSeq", "1 NOTIFY"],
      ["Contact", `<sip:jackfield@${realm};transport=ws>`],
      ["Event", event],
      ["Subscription-State", "active"],
      ["User-Agent", options.userAgent],
      ...headers,
    ],
    ...(body === undefined ? {} : { body }),
  });
  context.transactions.request(request, flow, {
    onResponse: ({ status }) => context.log.debug({ event, status, dn: presence.dn }, "event answered"),
    onTimeout: () => context.log.debug({ event, dn: presence.dn }, "event not answered"),
    onTransportError: () => context.log.debug({ event, dn: presence.dn }, "event not delivered"),
  });
}

/** Legs of browsers that speak SIP over WebSocket. */
export class SipAgentLegs implements AgentLegs<SipPresence> {
  readonly #options: SipAgentLegOptions;

  constructor(options: SipAgentLegOptions) {
    this.#options = options;
  }

  async invite(
    presence: SipPresence,
    invitation: Invitation,
    user: AgentLegUser,
  ): Promise<AgentLeg | undefined> {
    const flow = await presence.waitForFlow(this.#options.newCallGraceMs);
    if (!flow) return undefined;
    const leg = new SipAgentLeg(presence, this.#options, user);
    leg.sendInvite(flow, invitation);
    return leg;
  }

  /** The leg of an INVITE that came from the browser; `user` is told of nothing before this returns. */
  take(
    presence: SipPresence,
    transaction: ServerTransaction,
    user: AgentLegUser,
  ): { leg: AgentLeg; invite: IncomingInvite } {
    const leg = new SipAgentLeg(presence, this.#options, user);
    return { invite: leg.takeInvite(transaction), leg };
  }
}
