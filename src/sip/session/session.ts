import { StateMachine, type Timer, type Transitions } from "../../core/index.ts";
import type { Dialog, HeaderPair } from "../dialog/index.ts";
import { createResponse } from "../message/index.ts";
import type { SipRequest, SipResponse } from "../message/types.ts";
import type { ServerTransaction } from "../transaction/types.ts";
import type { Authentication } from "./authenticated-request.ts";
import { sendInDialog, type InDialogHandlers } from "./in-dialog-request.ts";
import { OfferAnswer, type OfferHost } from "./offer-answer.ts";
import { PendingAck } from "./pending-ack.ts";
import { SentAcks } from "./sent-acks.ts";
import type {
  DialogOwner,
  SessionContext,
  SessionEnd,
  SessionIdentity,
  SessionRoute,
  SessionUser,
} from "./types.ts";

/** Where a session stands; see `transitions`. */
export type SessionState = "inviting" | "invited" | "accepted" | "established" | "terminated";
type SessionInput = "answered" | "accept" | "acknowledged" | "end";

/** `inviting` and `invited` are early; `accepted` = our 200 to INVITE is sent and its ACK not yet here. */
const transitions: Transitions<SessionState, SessionInput> = {
  inviting: { answered: "established", end: "terminated" },
  invited: { accept: "accepted", end: "terminated" },
  accepted: { acknowledged: "established", end: "terminated" },
  established: { end: "terminated" },
  terminated: {},
};

/** An INVITE session (RFC 3261 13-15) on one side of a call, from the first dialog on; both roles. */
export class Session implements DialogOwner, OfferHost {
  readonly context: SessionContext;
  readonly identity: SessionIdentity;
  readonly route: SessionRoute;
  readonly user: SessionUser;
  readonly authentication: Authentication | undefined;
  readonly #machine: StateMachine<SessionState, SessionInput>;
  readonly #keys = new Set<string>();
  readonly #offers: OfferAnswer;
  readonly #acks = new SentAcks((ack) => this.#sendAck(ack));
  readonly #timers = new Set<Timer>();
  #dialog: Dialog | undefined;
  #pendingAck: PendingAck | undefined;
  #byeWhenAcknowledged: readonly HeaderPair[] | undefined;
  /** Whoever owns the INVITE: its caller ended the early dialog by BYE instead of CANCEL (RFC 3261 15). */
  onEarlyBye: ((reasonHeader: string | undefined) => void) | undefined;

  constructor(
    context: SessionContext,
    parts: {
      role: "uac" | "uas";
      route: SessionRoute;
      identity: SessionIdentity;
      user: SessionUser;
      authentication?: Authentication;
    },
  ) {
    this.context = context;
    this.route = parts.route;
    this.identity = parts.identity;
    this.user = parts.user;
    this.authentication = parts.authentication;
    this.#machine = new StateMachine(transitions, parts.role === "uac" ? "inviting" : "invited", context.log);
    this.#offers = new OfferAnswer(this);
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

  /** Makes `dialog` the one in use; forked early dialogs before it stay findable until the end. */
  useDialog(dialog: Dialog): void {
    this.#dialog = dialog;
    this.#keys.add(dialog.key);
    this.context.dialogs.add(dialog.key, this);
  }

  /** UAS: the final 200 with its repeats until ACK. */
  accept(transaction: ServerTransaction, response: SipResponse): void {
    if (!this.#machine.apply("accept")) return;
    this.#pendingAck = new PendingAck(this.context.clock, transaction, response, {
      onAck: (body) => {
        this.#machine.apply("acknowledged");
        if (this.#byeAfterAck()) return;
        this.user.onAcknowledged(body);
        this.#offers.proceed();
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
    return this.#machine.apply("answered");
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

  /** See `RequestHost`. */
  peerLost(cause: string, method: string): void {
    if (this.state === "invited") return this.onEarlyBye?.(undefined);
    if (this.state !== "accepted" && !this.established) return;
    if (method !== "BYE") this.#sendBye([["Reason", `SIP;cause=408;text="${method}: ${cause}"`]]);
    this.#finish({ by: "peer", reason: `${cause} (our ${method})` });
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
    if (this.state === "terminated") return this.respond(transaction, 481);
    if (!this.#dialog?.acceptSequence(request)) return this.respond(transaction, 500, "CSeq Out Of Order");
    if (request.method === "BYE") return this.#receiveBye(request, transaction);
    if (request.method === "INVITE" || (request.method === "UPDATE" && request.body.length > 0))
      return this.#receiveOffer(request, transaction);
    if (request.method === "UPDATE") {
      this.#dialog.refreshTarget(request);
      this.respond(transaction, 200);
      return this.user.onUpdate?.(request);
    }
    this.user.onRequest(request, transaction);
  }

  #receiveOffer(request: SipRequest, transaction: ServerTransaction): void {
    if (request.body.length > 0 && request.contentType !== "application/sdp")
      return this.respond(transaction, 415, undefined, [["Accept", "application/sdp"]]);
    // RFC 3261 14.2, RFC 3311 5.2: no second offer before the first INVITE has its answer.
    if (this.state === "inviting") return this.respond(transaction, 491);
    if (this.state === "invited")
      return this.respond(transaction, 500, "Offer Pending", [["Retry-After", "1"]]);
    if (this.#pendingAck?.waiting) {
      if (this.#pendingAck.awaitsAnswer) return this.respond(transaction, 491);
      // Over UDP the ACK can come behind the request that follows it; one that carries no answer is implied.
      if (request.method === "INVITE") this.#pendingAck.acknowledge("");
    }
    this.#offers.receive(request, transaction);
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
    this.#offers.close();
    for (const timer of this.#timers) timer.clear();
    this.#timers.clear();
    for (const key of this.#keys) this.context.dialogs.remove(key);
    this.#keys.clear();
  }
}
