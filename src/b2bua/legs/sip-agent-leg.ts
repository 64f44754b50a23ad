import type { SipPresence } from "../../registrar/index.ts";
import {
  createResponse,
  dialogKey,
  IncomingInvite,
  OutgoingInvite,
  receiveRefer,
  type Flow,
  type HeaderPair,
  type OfferReply,
  type Replaces,
  type ServerTransaction,
  type Session,
  type SessionEnd,
  type SessionFailure,
  type SessionIdentity,
  type SessionRoute,
  type SessionUser,
  type SipRequest,
  type SipResponse,
} from "../../sip/index.ts";
import { randomId } from "../../core/index.ts";
import type { AgentLeg, AgentLegUser, Invitation, LegEnd } from "./agent-leg.ts";
import { callEvent, type CallNotice } from "../clients/call-notices.ts";
import type { QualityNotice } from "../media/call-quality.ts";
import { routeHeaders, sendEvent, type SipAgentLegOptions } from "../clients/client-event.ts";
import { quotedName } from "./caller-data.ts";
import { readDigits } from "./dtmf.ts";
import { nobody, sayBye } from "./left-leg.ts";
import {
  acceptRequest,
  capabilitiesOf,
  handleMethod,
  type Capabilities,
  type MethodTable,
} from "./methods.ts";
import { canResume, resumeEvent, resumeHeader } from "../clients/resume-ticket.ts";
import {
  cancelReason,
  endOfFailure,
  endOfSession,
  reasonHeaders,
  refusalHeaders,
  statusForBrowser,
} from "./reasons.ts";
import { browserTerms } from "./session-terms.ts";

const who = "agent's browser";

/** Event package of our own: how the call sounds, JSON of `QualityNotice`, every few seconds. */
const qualityEvent = "x-jackfield-quality";

/** The agent's leg for SIP over WebSocket: its requests go by whatever flow the presence has at the moment. */
export class SipAgentLeg implements AgentLeg, SessionUser {
  readonly presence: SipPresence;
  readonly #options: SipAgentLegOptions;
  readonly #capabilities: Capabilities;
  readonly #methods: MethodTable;
  #user: AgentLegUser;
  #incoming: IncomingInvite | undefined;
  #outgoing: OutgoingInvite | undefined;
  #invitation: Invitation | undefined;
  /** The connection the INVITE went out by. */
  #invitedBy: Flow | undefined;
  /** The client knows the dialog: it was told a tag, or told us one. */
  #dialogKnown = false;
  /** It came back by another connection and has not shown since that it still has the call. */
  #unproven = false;
  #talkWanted = false;
  /** Only a person may answer: no auto-answer headers any more. */
  #byHand = false;
  #unwanted = false;
  /** The connection by which the client has last shown that it has the leg. */
  #home: Flow | undefined;

  constructor(presence: SipPresence, options: SipAgentLegOptions, user: AgentLegUser) {
    this.presence = presence;
    const { context } = options;
    this.#options = user.log ? { ...options, context: { ...context, log: user.log } } : options;
    this.#user = user;
    this.#methods = {
      INFO: (request, transaction) => this.#receiveInfo(request, transaction),
      REFER: (request, transaction) => {
        if (!this.#session) return transaction.respond(createResponse(request, 481));
        receiveRefer(this.#session, request, transaction, true, (refer) => this.#user.onRefer(refer));
      },
      OPTIONS: acceptRequest,
      MESSAGE: acceptRequest,
    };
    const { options: tags } = browserTerms;
    this.#capabilities = capabilitiesOf(Object.keys(this.#methods), [], options.userAgent, tags);
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
      accepts: (flow) => presence.carries(flow),
    };
  }

  /** A call that runs, or that has just ended and owes a BYE, waits longer than one that is being set up. */
  get #graceMs(): number {
    const state = this.#session?.state;
    const early = state === undefined || state === "inviting" || state === "invited";
    return early ? this.#options.newCallGraceMs : this.#options.callGraceMs;
  }

  get #parts() {
    return { route: this.#route, identity: this.#identity, user: this, terms: browserTerms };
  }

  /** The token by which this client can take the call over, if it is one that does. */
  get #resumeHeaders(): HeaderPair[] {
    return canResume(this.presence) ? [[resumeHeader, this.#user.newResumeToken()]] : [];
  }

  takeInvite(transaction: ServerTransaction): IncomingInvite {
    this.#user.onDialog?.(transaction.request.callId);
    this.#home = transaction.flow;
    this.#incoming = new IncomingInvite(this.#options.context, transaction, this.#parts);
    return this.#incoming;
  }

  sendInvite(flow: Flow, invitation: Invitation): void {
    this.#invitation = invitation;
    this.#invitedBy = flow;
    this.#home = flow;
    const { sdp, caller, autoAnswer } = invitation;
    const { context, realm } = this.#options;
    const callId = randomId(context.random, 16);
    this.#user.onDialog?.(callId);
    const target = {
      uri: this.presence.contactUri,
      from: `${quotedName(caller.displayName)}<sip:${caller.number}@${realm}>`,
      to: `<sip:${this.presence.dn}@${realm}>`,
      callId,
      headers: [
        ...routeHeaders(this.presence),
        ...caller.headers,
        ...(this.#byHand ? [] : autoAnswer),
        ...this.#resumeHeaders,
      ],
      sdp,
    };
    this.#outgoing = new OutgoingInvite(context, flow, target, this.#parts);
  }

  progress(status: number, sdp?: string, data: readonly HeaderPair[] = []): void {
    this.#incoming?.progress(status, sdp, data);
    this.#knowsDialog();
  }

  answer(sdp: string, data: readonly HeaderPair[] = []): void {
    this.#incoming?.accept(sdp, [...data, ...this.#resumeHeaders]);
    this.#knowsDialog();
  }

  reject(end: LegEnd): void {
    const status = statusForBrowser(end.status === 200 ? 480 : end.status);
    this.#incoming?.reject(status, undefined, refusalHeaders(end));
  }

  info(): boolean {
    return false;
  }

  /**
   * NOTIFY outside any dialog that names the leg, ringing or held by the browser: JsSIP refuses it inside an early dialog and hands this one
   * to the page. A 200 to it proves nothing; only the 200 to the INVITE does (measured: docs/decisions/0002-calls.md).
   */
  talk(): void {
    this.#talkWanted = true;
    if (this.#outgoing?.pending === true || this.#session?.established) this.#tell("talk");
  }

  hold(): void {
    if (this.#session?.established) this.#tell("hold");
  }

  beep(): void {
    if (this.presence.allowEvents.includes("beep")) this.#tell("beep");
  }

  tellCall(notice: CallNotice): void {
    if (this.presence.allowEvents.includes(callEvent)) this.#tell(callEvent, notice);
  }

  /** JsSIP and SIP.js each have an order of the tags of their own; with the Call-ID they are one dialog's in both. */
  isDialog({ callId, toTag, fromTag }: Replaces): boolean {
    const has = (ours: string, theirs: string): boolean =>
      this.#session?.hasDialog(dialogKey(callId, ours, theirs)) === true;
    return has(toTag, fromTag) || has(fromTag, toTag);
  }

  tellQuality(notice: QualityNotice): void {
    if (this.presence.allowEvents.includes(qualityEvent)) this.#tell(qualityEvent, notice);
  }

  #tell(event: string, notice?: object): void {
    const { flow } = this.presence;
    if (!flow) return;
    const headers: HeaderPair[] = [["X-Jackfield-Call-ID", this.callId]];
    if (notice) headers.push(["Content-Type", "application/json"]);
    const callId = randomId(this.#options.context.random, 16);
    // What the page is only shown would fill the trace of a long call.
    if (!notice) this.#user.onDialog?.(callId);
    const body = notice && JSON.stringify(notice);
    sendEvent(this.#options, this.presence, flow, event, headers, body, callId);
  }

  ringByHand(): void {
    this.#byHand = true;
    const { flow } = this.presence;
    if (!flow || !this.#outgoing?.pending) return;
    this.#outgoing.leave();
    this.#inviteAgain(flow);
  }

  cancel(end: LegEnd): void {
    this.#unwanted = true;
    this.#outgoing?.cancel(cancelReason(end));
  }

  moved(): void {
    const { flow } = this.presence;
    if (!flow) return;
    this.#incoming?.rebind(flow);
    this.#session?.moved();
    this.#unproven = true;
    this.#askWhetherItLives();
    if (!this.#outgoing?.pending || flow.id === this.#invitedBy?.id) return;
    // It came back before its old connection was found dead.
    this.#unproven = false;
    this.#outgoing.leave();
    this.#inviteAgain(flow);
  }

  /**
   * A page that gave its call up without a connection could not say so; what a page was dialling when it lost its
   * connection is given up by all browsers' libraries. It answers 481 to anything within the dialog,
   * which ends the session; one that still has the call answers an UPDATE without a body by whatever it likes.
   */
  #askWhetherItLives(): void {
    if (!this.#unproven || !this.#dialogKnown) return;
    this.#unproven = false;
    const { flow } = this.presence;
    this.#session?.refresh.update({
      onResponse: ({ status }) => {
        if (status !== 481) this.#home = flow;
      },
    });
  }

  #knowsDialog(): void {
    this.#dialogKnown = true;
    this.#askWhetherItLives();
  }

  /** Browsers forget a ringing call with its connection: the one that comes back is rung anew. */
  #inviteAgain(flow: Flow): void {
    const invitation = this.#invitation;
    if (!invitation) return;
    this.#options.context.log.info({ dn: this.presence.dn, flow: flow.id }, "ringing again");
    this.sendInvite(flow, invitation);
    if (this.#talkWanted) this.talk();
  }

  async #waitAndInviteAgain(end: LegEnd): Promise<void> {
    const flow = await this.presence.waitForFlow(this.#options.newCallGraceMs);
    if (this.#unwanted) return;
    if (flow && flow.id !== this.#invitedBy?.id) this.#inviteAgain(flow);
    else this.#user.onFailed(end);
  }

  end(end: LegEnd): void {
    this.#unwanted = true;
    if (this.#outgoing?.pending) this.cancel(end);
    else this.#session?.bye(reasonHeaders(end));
  }

  leave(): void {
    if (this.#user === nobody) return;
    this.#user = nobody;
    this.#unwanted = true;
    const session = this.#session;
    if (session && this.#home?.open) sayBye(this.#options.context, session, this.#home);
    session?.close();
  }

  onProvisional(response: SipResponse): void {
    if (response.status === 180 || response.status === 183) this.#user.onRinging();
  }

  onAnswered(response: SipResponse): void {
    this.#session?.acknowledge(response.cseq.sequence);
    this.#dialogKnown = true;
    this.#user.onConfirmed();
    this.#user.onAnswered(response.body.toString("utf8"));
  }

  onFailed(failure: SessionFailure): void {
    const end = endOfFailure(failure, who);
    // RFC 5626 7: that connection leads nowhere, though it is open.
    const flowFailed = failure.status === 430 && this.#invitedBy !== undefined;
    if (flowFailed && this.#invitedBy) this.presence.flowFailed(this.#invitedBy);
    if (!(failure.unreachable || flowFailed) || this.#unwanted) return this.#user.onFailed(end);
    this.#waitAndInviteAgain(end).catch((error: unknown) => {
      this.#options.context.log.error({ err: error }, "browser could not be rung again");
      this.#user.onFailed(end);
    });
  }

  onAcknowledged(): void {
    this.#user.onConfirmed();
  }

  mediaFlows(): boolean {
    return this.#user.mediaFlows();
  }

  onOffer(sdp: string, _request: SipRequest, reply: OfferReply): void {
    if (sdp === "") reply.reject(488, "Offer Required");
    else this.#user.onOffer(sdp, reply);
  }

  onRequest(request: SipRequest, transaction: ServerTransaction): void {
    handleMethod(this.#methods, this.#capabilities, request, transaction);
  }

  onEnded(end: SessionEnd): void {
    if (!end.lost || !canResume(this.presence)) return this.#user.onEnded(endOfSession(end, who));
    const { flow } = this.presence;
    const call = [["X-Jackfield-Call-ID", this.callId]] as const;
    if (flow) sendEvent(this.#options, this.presence, flow, resumeEvent, call);
    this.#user.onLost(endOfSession(end, who));
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
