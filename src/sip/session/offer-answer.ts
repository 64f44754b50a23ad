import { createResponse } from "../message/index.ts";
import type { SipRequest, SipResponse } from "../message/types.ts";
import { T4, transactionTimeout } from "../transaction/timers.ts";
import type { Flow } from "../transport/flow.ts";
import type { ServerTransaction } from "../transaction/types.ts";
import { sendAuthenticated, type PendingRequest } from "./authenticated-request.ts";
import type { RequestHost } from "./in-dialog-request.ts";
import { PendingAck } from "./pending-ack.ts";
import type { Dialog, HeaderPair } from "../dialog/index.ts";
import { glareDelay, type OfferStanding } from "./offer-rules.ts";
import type { SessionRefresh } from "./session-refresh.ts";
import type { OfferReply, SessionIdentity, SessionUser } from "./types.ts";

/** What offers need of the session they belong to. */
export interface OfferHost extends RequestHost {
  readonly identity: SessionIdentity;
  readonly user: SessionUser;
  readonly established: boolean;
  /** We made the Call-ID. */
  readonly madeCallId: boolean;
  /** Our description as the peer last took it. */
  localSdp: string | undefined;
  readonly refresh: SessionRefresh;
  /** Our INVITE as it goes out. */
  noteInvite(request: SipRequest): void;
  acknowledge(sequence: number, sdp?: string): void;
  /** Repeats the ACK of INVITE `sequence`; false when none was sent. */
  repeatAck(sequence: number): boolean;
  respond(
    transaction: ServerTransaction,
    status: number,
    reason?: string,
    headers?: readonly HeaderPair[],
  ): void;
  after(delayMs: number, callback: () => void): void;
}

/** An offer that is refused for the moment, but for 491, goes out so many times in all. */
const maximumTries = 8;
/** 491 tells of an offer of the peer's: by then that is over, ms, were its INVITE lost time and again (timer B). */
const longestGlareMs = transactionTimeout + T4;
/** Longest Retry-After that is waited for, seconds: what was to be said then would be stale. */
const longestRetrySeconds = 32;

interface QueuedOffer {
  /** Times it was refused for the moment by anything but 491. */
  refusals: number;
  glareUntil?: number;
  readonly sdp: () => string | undefined;
  readonly handlers: {
    readonly onAnswer: (sdp: string) => string | undefined;
    readonly onFailed?: (status: number, reason: string) => void;
  };
}

/**
 * Offers within an established session (RFC 3261 14, RFC 3311): one at a time. Ours queue behind what is under
 * way; theirs get 491 while ours is out and 500 while an earlier one of theirs is unanswered.
 */
export class OfferAnswer {
  readonly #session: OfferHost;
  readonly #queue: QueuedOffer[] = [];
  #ours: PendingRequest | "waiting" | undefined;
  /** An offer of theirs that the user has still to answer. */
  #answering: ServerTransaction | undefined;
  /** Our 200 to a re-INVITE of theirs, its ACK not yet here. */
  #unacknowledged: PendingAck | undefined;

  constructor(session: OfferHost) {
    this.#session = session;
  }

  reinvite(sdp: QueuedOffer["sdp"], handlers: QueuedOffer["handlers"]): void {
    this.#queue.push({ sdp, handlers, refusals: 0 });
    this.#sendNext();
  }

  /** The session is established: what was asked for before goes out. */
  resume(): void {
    this.#sendNext();
  }

  /** See `OfferStanding`: ours is out in a re-INVITE, or in a 200 whose ACK brings the answer. */
  get standing(): OfferStanding {
    if (this.#ours !== undefined && this.#ours !== "waiting") return "ours-unanswered";
    if (this.#unacknowledged?.awaitsAnswer) return "ours-unanswered";
    return this.#answering ? "theirs-unanswered" : "free";
  }

  #sendNext(): void {
    const { established, dialog, route } = this.#session;
    if (this.#ours || this.#answering || this.#unacknowledged || !established || !dialog) return;
    const offer = this.#queue.shift();
    if (!offer) return;
    const flow = route.flow(dialog.nextHop);
    if (!flow) {
      this.#ours = "waiting";
      void route.waitForFlow().then((found) => {
        this.#ours = undefined;
        if (found) this.#queue.unshift(offer);
        else offer.handlers.onFailed?.(480, "peer cannot be reached");
        this.#sendNext();
      });
      return;
    }
    this.#send(offer, dialog, flow);
  }

  #send(offer: QueuedOffer, dialog: Dialog, flow: Flow): void {
    const sdp = offer.sdp();
    const request = dialog.createRequest("INVITE", this.#headers(sdp, this.#session.refresh.headers()), sdp);
    let sequence = request.cseq.sequence;
    this.#session.noteInvite(request);
    this.#ours = sendAuthenticated(
      this.#session.context.transactions,
      request,
      flow,
      {
        onRepeat: (repeat) => {
          sequence = repeat.cseq.sequence;
          this.#session.noteInvite(repeat);
        },
        onResponse: (response) => this.#receiveResponse(offer, sequence, response, sdp),
        onTimeout: () => this.#fail(offer, 408, "re-INVITE not answered in time"),
        onTransportError: (error) => this.#fail(offer, 503, error.message),
      },
      this.#session.authentication,
      () => dialog.nextSequence(),
    );
  }

  #receiveResponse(
    offer: QueuedOffer,
    sequence: number,
    response: SipResponse,
    sdp: string | undefined,
  ): void {
    if (response.status < 200) return;
    if (response.status >= 300) return this.#refused(offer, response);
    if (this.#session.repeatAck(sequence)) return;
    // The session ended meanwhile; the 2xx wants its ACK all the same.
    if (!this.#session.established) return this.#session.acknowledge(sequence);
    this.#ours = undefined;
    this.#session.dialog?.refreshTarget(response);
    this.#session.refresh.answered(response);
    const answer = offer.handlers.onAnswer(response.body.toString("utf8"));
    this.#session.localSdp = sdp ?? answer ?? this.#session.localSdp;
    this.#session.acknowledge(sequence, answer);
    this.#sendNext();
  }

  #refused(offer: QueuedOffer, response: SipResponse): void {
    const session = this.#session;
    if (!session.established) return;
    session.refresh.note(response);
    const delayMs = this.#retryDelay(offer, response);
    if (delayMs === undefined) return this.#fail(offer, response.status, response.reason);
    this.#ours = "waiting";
    session.after(delayMs, () => {
      this.#ours = undefined;
      this.#queue.unshift(offer);
      this.#sendNext();
    });
  }

  /** When an offer that was refused for the moment may go out again, ms; undefined when it was refused for good. */
  #retryDelay(offer: QueuedOffer, response: SipResponse): number | undefined {
    const { status, headers } = response;
    if (status === 491) return this.#glareDelay(offer);
    if (++offer.refusals >= maximumTries) return undefined;
    if (status === 422) return this.#session.refresh.raise(response) ? 0 : undefined;
    const wait = /^\s*(\d{1,5})/.exec(headers.get("Retry-After") ?? "")?.[1];
    if ((status !== 500 && status !== 503) || wait === undefined || Number(wait) > longestRetrySeconds)
      return undefined;
    // 0 is allowed and means soon; at once would only meet the same.
    return Math.max(Number(wait) * 1000, 500);
  }

  #glareDelay(offer: QueuedOffer): number | undefined {
    const { clock, random } = this.#session.context;
    offer.glareUntil ??= clock.now() + longestGlareMs;
    return clock.now() < offer.glareUntil
      ? glareDelay(this.#session.madeCallId, random.fraction())
      : undefined;
  }

  #fail(offer: QueuedOffer, status: number, reason: string): void {
    if (!this.#session.established) return;
    this.#ours = undefined;
    if (status === 481 || status === 408) this.#session.peerLost(`${status} ${reason}`, "re-INVITE");
    offer.handlers.onFailed?.(status, reason);
    this.#sendNext();
  }

  /** A re-INVITE, or an UPDATE or PRACK with SDP, of the peer's, while `standing` is free. */
  receive(request: SipRequest, transaction: ServerTransaction): void {
    const session = this.#session;
    if (request.method === "INVITE") this.#takeAsAcknowledged();
    session.dialog?.refreshTarget(request);
    this.#answering = transaction;
    const reply: OfferReply = {
      accept: (sdp, onAck) => {
        if (this.#answering !== transaction) return;
        this.#accept(transaction, sdp, onAck);
      },
      reject: (status, reason) => {
        if (this.#answering !== transaction) return;
        this.#answering = undefined;
        session.respond(transaction, status, reason);
        this.#sendNext();
      },
    };
    // RFC 3261 9.2: only what has no final response yet can be given up.
    transaction.onCancel = () => reply.reject(487);
    session.user.onOffer(request.body.toString("utf8"), request, reply);
  }

  /** Over UDP the ACK can come behind the re-INVITE that follows it; one without an answer in it is implied. */
  #takeAsAcknowledged(): void {
    this.#unacknowledged?.close();
    this.#unacknowledged = undefined;
  }

  #accept(transaction: ServerTransaction, sdp: string | undefined, onAck?: (answer: string) => void): void {
    const { context, dialog } = this.#session;
    const { request } = transaction;
    const response = createResponse(request, 200, {
      ...(dialog ? { toTag: dialog.localTag } : {}),
      headers: this.#headers(sdp, this.#session.refresh.answer(request)),
      ...(sdp === undefined ? {} : { body: sdp }),
    });
    this.#answering = undefined;
    this.#session.localSdp = sdp ?? this.#session.localSdp;
    if (request.method !== "INVITE") {
      transaction.respond(response);
      return this.#sendNext();
    }
    this.#unacknowledged = new PendingAck(context.clock, transaction, response, {
      onAck: (body) => {
        this.#unacknowledged = undefined;
        onAck?.(body);
        this.#sendNext();
      },
      onTimeout: () => {
        this.#unacknowledged = undefined;
        this.#session.peerLost("no ACK for our 200", "re-INVITE answer");
      },
    });
  }

  #headers(sdp: string | undefined, timer: readonly HeaderPair[]): HeaderPair[] {
    const { contact, headers } = this.#session.identity;
    const type: HeaderPair[] = sdp === undefined ? [] : [["Content-Type", "application/sdp"]];
    return [["Contact", contact], ...headers, ...timer, ...type];
  }

  receiveAck(sequence: number, body: string): void {
    if (this.#unacknowledged?.sequence === sequence) this.#unacknowledged.acknowledge(body);
  }

  /** See `Session.moved`. */
  moved(): void {
    if (!this.#unacknowledged || this.#unacknowledged.awaitsAnswer) return;
    this.#takeAsAcknowledged();
    this.#sendNext();
  }

  /** What is under way gets its end: theirs a 487 (RFC 3261 15.1.2), ours a CANCEL and the ACK that is due. */
  close(): void {
    this.#queue.length = 0;
    this.#takeAsAcknowledged();
    const unanswered = this.#answering;
    this.#answering = undefined;
    if (unanswered) this.#session.respond(unanswered, 487);
    if (this.#ours !== undefined && this.#ours !== "waiting") this.#ours.cancel();
    this.#ours = undefined;
  }
}
