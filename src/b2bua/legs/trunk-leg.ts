import { randomId } from "../../core/index.ts";
import {
  dialogKey,
  IncomingInvite,
  OutgoingInvite,
  transportParameter,
  type Dialog,
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
  type SessionState,
  type SessionUser,
  type SipRequest,
  type SipResponse,
} from "../../sip/index.ts";
import { userPartOf } from "../outbound/number-rules.ts";
import { OutboundAttempts, type OutboundTarget } from "../outbound/outbound-attempts.ts";
import { plainOutbound } from "../outbound/outbound-policy.ts";
import { hostOf } from "../outbound/outbound-servers.ts";
import type { LegEnd } from "./agent-leg.ts";
import { CallUuids } from "./call-uuids.ts";
import { CallData } from "./caller-data.ts";
import { probeDialog, type DialogAnswer } from "./dialog-probe.ts";
import { LegRefers, type ReferUser } from "./leg-refers.ts";
import { handlerOf, refuseMethod, type Capabilities } from "./methods.ts";
import {
  cancelReason,
  endOfFailure,
  endOfSession,
  reasonHeaders,
  refusalHeaders,
  retryAfterOf,
} from "./reasons.ts";
import { defaultTrunkTerms } from "./session-terms.ts";
import { inviteTarget, type CallExtras, type OutboundCall } from "./trunk-invite.ts";
import type { TrunkLegUser } from "./trunk-leg-user.ts";
import { trunkCapabilities, trunkMethods, type TrunkDialog } from "./trunk-methods.ts";
import type { TrunkLegOptions } from "./trunk.ts";

const who = "SIP Server";

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
  readonly #uuids = new CallUuids();
  readonly #data: CallData;

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
    return this.#uuids.last;
  }

  /** Each X-Genesys-CallUUID seen, the last one last. */
  get callUuids(): readonly string[] {
    return this.#uuids.all;
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
    return flow ? hostOf(flow) : "";
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
    this.#uuids.succeed(former.callUuids);
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

  get #inDialog(): TrunkDialog {
    return {
      capabilities: this.#capabilities,
      refers: this.#refers,
      user: () => this.#user,
      note: (request) => this.#noteInDialog(request),
      onMessageSummary: (request) => this.#options.onMessageSummary(this.dn, request),
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
    const server = extras.flow ? { flow: extras.flow, host: hostOf(extras.flow) } : trunk.server(this.dn);
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

  #invite(to: OutboundTarget, previous: OutgoingInvite | undefined, call: OutboundCall): OutgoingInvite {
    this.#serverFlow = to.flow;
    const target = inviteTarget(this.dn, this.#options, to, previous, call);
    return new OutgoingInvite(this.#options.context, to.flow, target, this.#parts);
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

  /** Sends what the agent's client has for SIP Server (RFC 6086); what comes of it is only logged. */
  info(contentType: string, body: string): void {
    const { log } = this.#options.context;
    const headers: HeaderPair[] = [["Content-Type", contentType], ...this.#capabilities.headers];
    this.#session?.request("INFO", headers, body, {
      // Large ones may get lost on each way: firewalls drop fragments of UDP.
      aside: true,
      onResponse: ({ status, reason }) => {
        if (status >= 300) log.warn({ status, reason, contentType }, "INFO refused by SIP Server");
      },
      onFailure: (reason) => log.warn({ reason, contentType }, "INFO not delivered"),
    });
  }

  /** Asks by OPTIONS whether SIP Server still has the call, without consequences for the session. */
  probe(done: (answer: DialogAnswer) => void): void {
    const { context, trunk } = this.#options;
    const { dialog } = this;
    const flow = dialog && (trunk.flowTo(dialog.nextHop) ?? this.#serverFlow);
    if (!dialog || !flow) return done("silent");
    probeDialog(context, dialog, flow, this.identity.contact, done);
  }

  /** Ends or refuses the leg in whatever state it is. Idempotent. */
  end(end: LegEnd): void {
    if (this.#incoming?.pending) this.#incoming.reject(end.status, undefined, refusalHeaders(end));
    else if (this.#outgoing?.invite.pending) this.#outgoing.cancel(cancelReason(end));
    else this.#session?.bye(reasonHeaders(end));
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
    this.#user.onOffer(sdp, reply);
    this.#noteInDialog(request);
  }

  onUpdate(request: SipRequest): void {
    this.#noteInDialog(request);
  }

  onRequest(request: SipRequest, transaction: ServerTransaction): void {
    const handler = handlerOf(trunkMethods, request.method);
    if (handler) handler(this.#inDialog, request, transaction);
    else refuseMethod(this.#capabilities, request, transaction);
  }

  onEnded(end: SessionEnd): void {
    this.#user.onEnded(endOfSession(end, who));
  }

  /** As `#note`, and what else the page may know of the call: any request may bring it. */
  #noteInDialog(request: SipRequest): void {
    this.#note(request);
    const { changed } = this.#data.note(request);
    if (changed.length > 0) this.#user.onCallData(changed);
  }

  #note(message: SipRequest | SipResponse): void {
    if (message.headers.has("Allow")) this.#allowed = message.headers.values("Allow");
    const uuid = this.#uuids.note(message);
    if (uuid !== undefined) this.#user.onCallUuid(uuid);
  }
}
