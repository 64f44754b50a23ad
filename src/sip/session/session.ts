import { StateMachine, type Timer, type Transitions } from "../../core/index.ts";
import { dialogKey, type Dialog, type HeaderPair } from "../dialog/index.ts";
import { createResponse } from "../message/index.ts";
import type { SipRequest, SipResponse } from "../message/types.ts";
import type { ServerTransaction } from "../transaction/types.ts";
import type { Authentication } from "./authenticated-request.ts";
import { sendInDialog, type InDialogHandlers } from "./in-dialog-request.ts";
import { OfferAnswer, type OfferHost } from "./offer-answer.ts";
import { offerRefusals, retryAfterSeconds, type OfferStanding } from "./offer-rules.ts";
import { refusalByTerms } from "./option-tags.ts";
import { PendingAck } from "./pending-ack.ts";
import { SentAcks } from "./sent-acks.ts";
import { SessionRefresh, type RefreshHost } from "./session-refresh.ts";
import type {
  DialogOwner,
  SessionContext,
  SessionEnd,
  SessionIdentity,
  SessionParts,
  SessionRoute,
  SessionTerms,
  SessionUser,
} from "./types.ts";

/** Where a session stands; see `sessionTransitions`. */
export type SessionState = "inviting" | "invited" | "accepted" | "established" | "terminated";
type SessionInput = "answered" | "accept" | "acknowledged" | "end";

/** `inviting` and `invited` are early; `accepted` = our 200 to INVITE is sent and its ACK not yet here. */
export const sessionTransitions: Transitions<SessionState, SessionInput> = {
  inviting: { answered: "established", end: "terminated" },
  invited: { accept: "accepted", end: "terminated" },
  accepted: { acknowledged: "established", end: "terminated" },
  established: { end: "terminated" },
  terminated: {},
};

const noTerms: SessionTerms = { options: [] };

/** An INVITE session (RFC 3261 13-15) on one side of a call, from the first dialog on; both roles. */
export class Session implements DialogOwner, OfferHost, RefreshHost {
  readonly context: SessionContext;
  readonly identity: SessionIdentity;
  readonly route: SessionRoute;
  readonly user: SessionUser;
  readonly authentication: Authentication | undefined;
  readonly terms: SessionTerms;
  /** We sent the INVITE, so that the Call-ID is ours. */
  readonly madeCallId: boolean;
  readonly refresh: SessionRefresh;
  readonly #machine: StateMachine<SessionState, SessionInput>;
  /** By key: the one in use, and the early ones of other branches. */
  readonly #dialogs = new Map<string, Dialog>();
  readonly #offers: OfferAnswer;
  readonly #acks = new SentAcks((ack) => this.#sendAck(ack));
  readonly #timers = new Set<Timer>();
  #dialog: Dialog | undefined;
  #pendingAck: PendingAck | undefined;
  #byeWhenAcknowledged: readonly HeaderPair[] | undefined;
  /** How the exchange of descriptions of the first INVITE stands; that of later ones is `#offers`'s. */
  firstExchange: OfferStanding;
  /** Our description as the peer last took it. */
  localSdp: string | undefined;
  /** Whoever owns the INVITE: its caller ended the early dialog by BYE instead of CANCEL (RFC 3261 15). */
  onEarlyBye: ((reasonHeader: string | undefined) => void) | undefined;
  /** Whoever owns the INVITE: PRACK came (RFC 3262). */
  onPrack: ((request: SipRequest, transaction: ServerTransaction) => void) | undefined;

  constructor(context: SessionContext, parts: SessionParts & { role: "uac" | "uas" }) {
    this.context = context;
    this.route = parts.route;
    this.identity = parts.identity;
    this.user = parts.user;
    this.authentication = parts.authentication;
    this.terms = parts.terms ?? noTerms;
    this.madeCallId = parts.role === "uac";
    this.firstExchange = this.madeCallId ? "ours-unanswered" : "theirs-unanswered";
    this.#machine = new StateMachine(
      sessionTransitions,
      this.madeCallId ? "inviting" : "invited",
      context.log,
    );
    this.#offers = new OfferAnswer(this);
    this.refresh = new SessionRefresh(this);
  }

  get state(): SessionState {
    return this.#machine.state;
  }

  get established(): boolean {
    return this.state === "established";
  }

  get dialog(): Dialog | undefined {
    return this.#dialog;
  }

  /** Whether the dialog of this key is the session's, or one of its early ones (RFC 3261 12). */
  hasDialog(key: string): boolean {
    return this.#dialog?.key === key || this.#dialogs.has(key);
  }

  /** Makes `dialog` the one in use; forked early dialogs before it stay findable until the end. */
  useDialog(dialog: Dialog): void {
    // One that is known keeps its CSeq numbers: requests may have gone out in it.
    this.#dialog = this.#dialogs.get(dialog.key) ?? dialog;
    this.#dialogs.set(dialog.key, this.#dialog);
    this.context.dialogs.add(dialog.key, this);
  }

  /** The INVITE is sent again: what its refused attempt made is void. */
  dropDialogs(): void {
    for (const key of this.#dialogs.keys()) this.context.dialogs.remove(key);
    this.#dialogs.clear();
    this.#dialog = undefined;
  }

  /** UAS: the final 200 with its repeats until ACK. */
  accept(transaction: ServerTransaction, response: SipResponse): void {
    if (!this.#machine.apply("accept")) return;
    const offers = transaction.request.body.length === 0 && response.body.length > 0;
    this.firstExchange = offers ? "ours-unanswered" : "free";
    this.#pendingAck = new PendingAck(this.context.clock, transaction, response, {
      onAck: (body) => {
        this.firstExchange = "free";
        this.#machine.apply("acknowledged");
        if (this.#byeAfterAck()) return;
        this.user.onAcknowledged(body);
        this.#offers.resume();
      },
      onTimeout: () => {
        this.#machine.apply("acknowledged");
        if (this.#byeAfterAck()) return;
        this.#sendBye([["Reason", 'SIP;cause=408;text="ACK not received"']]);
        this.#finish({ by: "us", reason: "SIP Server or browser never sent the ACK for our 200" });
      },
    });
  }

  /** UAC: the first 2xx came; `acknowledge` must follow. */
  answered(response: SipResponse): boolean {
    this.#dialog?.refreshTarget(response);
    this.firstExchange = "free";
    this.refresh.answered(response);
    return this.#machine.apply("answered");
  }

  /** See `SessionUser.mediaFlows`. */
  get mediaFlows(): boolean {
    return this.user.mediaFlows?.() ?? false;
  }

  /** The session timer's end. */
  expire(): void {
    this.#sendBye([["Reason", 'SIP;cause=408;text="Session Timer Expired"']]);
    this.#finish({ by: "us", reason: "session timer expired: no refresh and no sound" });
  }

  /** Our INVITE goes out as `request`, the first time or again with credentials. */
  noteInvite(request: SipRequest): void {
    this.#acks.noteInvite(request);
  }

  /** Sends the ACK for the 2xx of INVITE `sequence`, and keeps it for the 2xx's repeats. */
  acknowledge(sequence: number, sdp?: string): void {
    if (this.#dialog) this.#acks.acknowledge(this.#dialog, sequence, sdp);
  }

  /** A 2xx repeated: the ACK was lost. False when INVITE `sequence` was not acknowledged before. */
  repeatAck(sequence: number): boolean {
    return this.#acks.repeat(sequence);
  }

  /**
   * The peer came back by another flow. What was on its way by the old one may be lost on either side: our last ACK
   * goes out again, and an ACK of the peer's that brings nothing is no longer waited for.
   */
  moved(): void {
    this.#acks.repeatLast();
    this.#offers.moved();
  }

  #sendAck(ack: SipRequest): void {
    const flow = this.route.flow(this.#dialog?.nextHop ?? "");
    if (flow) this.context.transactions.sendAck(ack, flow);
  }

  /** Sends any request within the dialog; waits for a flow as long as the route allows. */
  request(
    method: string,
    headers: readonly HeaderPair[] = [],
    body?: string,
    handlers: InDialogHandlers = {},
  ): void {
    if (!this.#dialog || this.state === "terminated") return handlers.onFailure?.("session is over");
    const request = this.#dialog.createRequest(
      method,
      [["Contact", this.identity.contact], ...headers],
      body,
    );
    sendInDialog(this, request, handlers);
  }

  /** Our 200 to the INVITE is sent, or the peer's came. */
  get confirmed(): boolean {
    return this.state === "accepted" || this.established;
  }

  /** See `RequestHost`. */
  peerLost(cause: string, method: string): void {
    if (this.state === "invited") return this.onEarlyBye?.(undefined);
    if (!this.confirmed) return;
    if (!cause.startsWith("481") && this.mediaFlows) {
      this.context.log.warn(
        { callId: this.#dialog?.callId, cause, method },
        "peer is silent, but sound comes",
      );
      this.user.onPeerSilent?.(`${cause} (our ${method})`);
      return;
    }
    if (method !== "BYE") this.#sendBye([["Reason", `SIP;cause=408;text="${method}: ${cause}"`]]);
    this.#finish({ by: "peer", reason: `${cause} (our ${method})`, lost: true });
  }

  /** Offers `sdp` (or asks for an offer when undefined) by re-INVITE; queued behind what is under way. */
  reinvite(
    sdp: () => string | undefined,
    handlers: {
      onAnswer: (sdp: string) => string | undefined;
      onFailed?: (status: number, reason: string) => void;
    },
  ): void {
    this.#offers.reinvite(sdp, handlers);
  }

  /** Ends the session: BYE when established, after the ACK when that is still to come (RFC 3261 15). Idempotent. */
  bye(headers: readonly HeaderPair[] = []): void {
    if (this.state === "accepted") {
      this.#byeWhenAcknowledged = headers;
      return;
    }
    if (this.state === "established") this.#sendBye(headers);
    this.close();
  }

  #byeAfterAck(): boolean {
    if (!this.#byeWhenAcknowledged) return false;
    this.bye(this.#byeWhenAcknowledged);
    return true;
  }

  #sendBye(headers: readonly HeaderPair[], retry = true): void {
    if (!this.#dialog) return;
    const request = this.#dialog.createRequest("BYE", headers);
    sendInDialog(this, request, {
      onFailure: (reason) => {
        this.context.log.info({ callId: request.callId, reason }, "BYE not delivered");
        if (retry && reason.startsWith("transport")) this.#sendBye(headers, false);
      },
    });
  }

  receiveRequest(request: SipRequest, transaction: ServerTransaction): void {
    if (!this.route.accepts(transaction.flow)) return this.respond(transaction, 403, "Not Your Dialog");
    const dialog = this.#dialogs.get(dialogKey(request.callId, request.to.tag ?? "", request.from.tag ?? ""));
    if (this.state === "terminated" || !dialog) return this.respond(transaction, 481);
    if (!dialog.acceptSequence(request)) return this.respond(transaction, 500, "CSeq Out Of Order");
    // A branch that lost to the one that answered: its own affair.
    if (dialog !== this.#dialog && this.confirmed)
      return this.respond(transaction, request.method === "BYE" ? 200 : 481);
    const refusal = refusalByTerms(request, this.terms);
    if (refusal) return this.respond(transaction, refusal.status, undefined, refusal.headers);
    this.refresh.note(request);
    switch (request.method) {
      case "BYE":
        return this.#receiveBye(request, transaction);
      case "INVITE":
        return this.receiveOffer(request, transaction);
      case "UPDATE":
        if (request.body.length > 0) return this.receiveOffer(request, transaction);
        dialog.refreshTarget(request);
        this.respond(transaction, 200, undefined, [
          ["Contact", this.identity.contact],
          ...this.refresh.answer(request),
        ]);
        return this.user.onUpdate?.(request);
      case "PRACK":
        return this.onPrack ? this.onPrack(request, transaction) : this.respond(transaction, 481);
      default:
        this.user.onRequest(request, transaction);
    }
  }

  /** re-INVITE, or an UPDATE or PRACK with a body. */
  receiveOffer(request: SipRequest, transaction: ServerTransaction): void {
    if (request.body.length > 0 && request.contentType !== "application/sdp")
      return this.respond(transaction, 415, undefined, [["Accept", "application/sdp"]]);
    const refusal = offerRefusals[this.#standingFor(request)];
    if (refusal === 491) return this.respond(transaction, 491);
    if (refusal === 500) {
      const seconds = retryAfterSeconds(this.context.random.fraction());
      return this.respond(transaction, 500, "Offer Pending", [["Retry-After", String(seconds)]]);
    }
    // Over UDP the ACK can come behind the request that follows it; one that carries no answer is implied.
    if (request.method === "INVITE" && this.#pendingAck?.waiting) this.#pendingAck.acknowledge("");
    this.#offers.receive(request, transaction);
  }

  #standingFor(request: SipRequest): OfferStanding {
    // RFC 3261 14.2: no second INVITE before the first has its final response, whatever was described early.
    if (request.method === "INVITE" && this.state === "inviting") return "ours-unanswered";
    if (request.method === "INVITE" && this.state === "invited") return "theirs-unanswered";
    return this.firstExchange === "free" ? this.#offers.standing : this.firstExchange;
  }

  receiveAck(request: SipRequest): void {
    const body = request.body.toString("utf8");
    if (this.#pendingAck?.waiting && this.#pendingAck.sequence === request.cseq.sequence)
      this.#pendingAck.acknowledge(body);
    else this.#offers.receiveAck(request.cseq.sequence, body);
  }

  #receiveBye(request: SipRequest, transaction: ServerTransaction): void {
    this.respond(transaction, 200);
    const header = request.headers.get("Reason");
    if (this.state === "inviting" || this.state === "invited") return this.onEarlyBye?.(header);
    const reason = header === undefined ? "BYE" : `BYE (${header})`;
    this.#finish({ by: "peer", reason, ...(header === undefined ? {} : { header }) });
  }

  /** Answers a request of this dialog with our identity's headers. */
  respond(
    transaction: ServerTransaction,
    status: number,
    reason?: string,
    headers: readonly HeaderPair[] = [],
  ): void {
    transaction.respond(
      createResponse(transaction.request, status, {
        ...(reason === undefined ? {} : { reason }),
        ...(this.#dialog ? { toTag: this.#dialog.localTag } : {}),
        headers: [...this.identity.headers, ...headers],
      }),
    );
  }

  /** Calls back after `delayMs` unless the session ends before. */
  after(delayMs: number, callback: () => void): void {
    const timer = this.context.clock.setTimer(delayMs, () => {
      this.#timers.delete(timer);
      callback();
    });
    this.#timers.add(timer);
  }

  #finish(end: SessionEnd): void {
    if (this.state === "terminated") return;
    this.close();
    this.user.onEnded(end);
  }

  /** Forgets the session without a word to the peer: timers, dialogs and queued offers go. Idempotent. */
  close(): void {
    if (this.state !== "terminated") this.#machine.apply("end");
    this.#pendingAck?.close();
    this.refresh.close();
    this.#offers.close();
    for (const timer of this.#timers) timer.clear();
    this.#timers.clear();
    for (const key of this.#dialogs.keys()) this.context.dialogs.remove(key);
    this.#dialogs.clear();
  }
}
