import { createResponse } from "../message/index.ts";
import type { SipRequest, SipResponse } from "../message/types.ts";
import type { Flow } from "../transport/flow.ts";
import type { ServerTransaction } from "../transaction/types.ts";
import { sendAuthenticated, type PendingRequest } from "./authenticated-request.ts";
import type { RequestHost } from "./in-dialog-request.ts";
import { PendingAck } from "./pending-ack.ts";
import type { Dialog, HeaderPair } from "../dialog/index.ts";
import type { OfferReply, SessionIdentity, SessionUser } from "./types.ts";

/** What offers need of the session they belong to. */
export interface OfferHost extends RequestHost {
  readonly identity: SessionIdentity;
  readonly user: SessionUser;
  readonly established: boolean;
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

interface QueuedOffer {
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
    this.#queue.push({ sdp, handlers });
    this.#sendNext();
  }

  /** The session is established now: what was asked for before can go out. */
  proceed(): void {
    this.#sendNext();
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
    const request = dialog.createRequest("INVITE", this.#headers(sdp), sdp);
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
        onResponse: (response) => this.#receiveResponse(offer, sequence, response),
        onTimeout: () => this.#fail(offer, 408, "re-INVITE not answered in time"),
        onTransportError: (error) => this.#fail(offer, 503, error.message),
      },
      this.#session.authentication,
      () => dialog.nextSequence(),
    );
  }

  #receiveResponse(offer: QueuedOffer, sequence: number, response: SipResponse): void {
    if (response.status < 200) return;
    if (response.status >= 300) return this.#fail(offer, response.status, response.reason);
    if (this.#session.repeatAck(sequence)) return;
    // The session ended meanwhile; the 2xx wants its ACK all the same.
    if (!this.#session.established) return this.#session.acknowledge(sequence);
    this.#ours = undefined;
    this.#session.dialog?.refreshTarget(response);
    this.#session.acknowledge(sequence, offer.handlers.onAnswer(response.body.toString("utf8")));
    this.#sendNext();
  }

  #fail(offer: QueuedOffer, status: number, reason: string): void {
    if (!this.#session.established) return;
    if (status === 491) {
      // RFC 3261 14.1: whoever made the Call-ID waits 2.1-4 s, the other 0-2 s; here the early range always,
      // as SIP Server made the Call-ID of the dialogs it holds by re-INVITE.
      this.#ours = "waiting";
      this.#session.after(this.#session.context.random.fraction() * 2000, () => {
        this.#ours = undefined;
        this.#queue.unshift(offer);
        this.#sendNext();
      });
      return;
    }
    this.#ours = undefined;
    if (status === 481 || status === 408) this.#session.peerLost(`${status} ${reason}`, "re-INVITE");
    offer.handlers.onFailed?.(status, reason);
    this.#sendNext();
  }

  /** A re-INVITE, or an UPDATE with SDP, of the peer's. */
  receive(request: SipRequest, transaction: ServerTransaction): void {
    const session = this.#session;
    // Our offer is out: in a re-INVITE, or in a 200 whose ACK brings the answer.
    const ourOffer =
      (this.#ours !== undefined && this.#ours !== "waiting") || this.#unacknowledged?.awaitsAnswer;
    if (ourOffer) return session.respond(transaction, 491);
    if (this.#answering) return session.respond(transaction, 500, "Offer Pending", [["Retry-After", "1"]]);
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
    session.user.onOffer(request.body.toString("utf8"), request, reply);
  }

  /** Over UDP the ACK can come behind the re-INVITE that follows it; one without an answer in it is implied. */
  #takeAsAcknowledged(): void {
    this.#unacknowledged?.close();
    this.#unacknowledged = undefined;
  }

  #accept(transaction: ServerTransaction, sdp: string | undefined, onAck?: (answer: string) => void): void {
    const { context, dialog } = this.#session;
    const response = createResponse(transaction.request, 200, {
      ...(dialog ? { toTag: dialog.localTag } : {}),
      headers: this.#headers(sdp),
      ...(sdp === undefined ? {} : { body: sdp }),
    });
    this.#answering = undefined;
    if (transaction.request.method !== "INVITE") {
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

  #headers(sdp: string | undefined): HeaderPair[] {
    const { contact, headers } = this.#session.identity;
    const type: HeaderPair[] = sdp === undefined ? [] : [["Content-Type", "application/sdp"]];
    return [["Contact", contact], ...headers, ...type];
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
