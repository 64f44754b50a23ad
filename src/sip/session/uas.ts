import { randomId } from "../../core/index.ts";
import { dialogOfUas, type HeaderPair } from "../dialog/index.ts";
import { createResponse } from "../message/index.ts";
import type { SipRequest, SipResponse } from "../message/types.ts";
import type { ServerTransaction } from "../transaction/types.ts";
import { names } from "./option-tags.ts";
import { ReliableProvisionals } from "./reliable-provisionals.ts";
import { Session } from "./session.ts";
import type { SessionContext, SessionFailure, SessionParts } from "./types.ts";

/** An INVITE we received, from the first response to the final one (RFC 3261 13.3), with RFC 3262 where it asks. */
export class IncomingInvite {
  readonly request: SipRequest;
  readonly session: Session;
  /** Provisional responses need a PRACK. With an offerless INVITE the first of them must carry our offer. */
  readonly reliable: boolean;
  readonly #transaction: ServerTransaction;
  readonly #localTag: string;
  readonly #user: SessionParts["user"];
  readonly #provisionals: ReliableProvisionals;
  #final = false;
  /** Our description went out in a reliable provisional response: the 200 needs none. */
  #described = false;
  /** The 200 waits for the PRACK of our description. */
  #heldBack: { readonly sdp: string; readonly headers: readonly HeaderPair[] } | undefined;

  constructor(context: SessionContext, transaction: ServerTransaction, parts: SessionParts) {
    this.request = transaction.request;
    this.#transaction = transaction;
    this.#user = parts.user;
    this.#localTag = randomId(context.random);
    this.session = new Session(context, { role: "uas", ...parts });
    this.session.useDialog(dialogOfUas(transaction.request, this.#localTag));
    this.session.refresh.note(this.request);
    this.reliable =
      names(this.request, "Require", "100rel") ||
      (parts.terms?.reliable === "supported" &&
        this.offer !== "" &&
        names(this.request, "Supported", "100rel"));
    this.#provisionals = new ReliableProvisionals({
      clock: context.clock,
      random: context.random,
      inviteSequence: this.request.cseq.sequence,
      transmit: (response) => transaction.respond(response),
      onTimeout: () => this.#giveUp({ status: 504, reason: "provisional response not acknowledged" }),
    });
    const cancelled = (header: string | undefined): void =>
      this.#giveUp({ status: 487, reason: "cancelled", ...(header === undefined ? {} : { header }) });
    transaction.onCancel = (cancel) => cancelled(cancel.headers.get("Reason"));
    this.session.onEarlyBye = cancelled;
    this.session.onPrack = (request, prack) => this.#receivePrack(request, prack);
    transaction.onTransportError = (error) => {
      // A browser's socket may come back and be rebound; the owner's grace time decides, not this error.
      context.log.info({ callId: this.request.callId, err: error }, "response not delivered");
    };
  }

  /** SDP of the offer, empty for an offerless INVITE. */
  get offer(): string {
    return this.request.contentType === "application/sdp" ? this.request.body.toString("utf8") : "";
  }

  /** True until the final response. */
  get pending(): boolean {
    return !this.#final;
  }

  /** 180 or 183 with the dialog's tag; with `sdp` as early media, or as our offer to an offerless INVITE. */
  progress(status: number, sdp?: string, headers: readonly HeaderPair[] = []): void {
    if (this.#final || this.#heldBack !== undefined) return;
    if (!this.reliable) return this.#transaction.respond(this.#create(status, { sdp }, headers));
    this.#provisionals.send((rseq) => this.#reliably(status, rseq, sdp, headers));
  }

  #reliably(status: number, rseq: number, sdp: string | undefined, more: readonly HeaderPair[]): SipResponse {
    // What is told reliably is told once.
    const description = this.#described ? undefined : sdp;
    if (description !== undefined) {
      this.#described = true;
      this.session.localSdp = description;
      this.session.firstExchange = this.offer === "" ? "ours-unanswered" : "free";
    }
    const headers = [["Require", "100rel"] as const, ["RSeq", String(rseq)] as const, ...more];
    return this.#create(status, { sdp: description }, headers);
  }

  /**
   * 200 with `sdp`, repeated until the ACK; without it where a reliable provisional response has told it, whose PRACK
   * it waits for (RFC 3262 3). Nothing happens after a final response.
   */
  accept(sdp: string, headers: readonly HeaderPair[] = []): void {
    if (this.#final) return;
    if (this.#provisionals.holdsAnswer) {
      this.#heldBack = { sdp, headers };
      return;
    }
    this.#final = true;
    this.#provisionals.stop();
    const timer = this.session.refresh.answer(this.request);
    // An offer of ours that no PRACK answered stands again in the 200, for the ACK to answer.
    const told = this.#described && this.session.firstExchange === "free";
    if (!told) this.session.localSdp = sdp;
    this.session.accept(
      this.#transaction,
      this.#create(200, { sdp: told ? undefined : sdp }, [...timer, ...headers]),
    );
  }

  /** Final refusal. False when a final response was sent before. */
  reject(status: number, reason?: string, headers: readonly HeaderPair[] = []): boolean {
    if (this.#final) return false;
    this.#final = true;
    this.#provisionals.stop();
    this.#transaction.respond(this.#create(status, { reason }, headers));
    this.session.close();
    return true;
  }

  /** Later responses go by the flow on which the client came back. */
  rebind(flow: ServerTransaction["flow"]): void {
    this.#transaction.rebind(flow);
  }

  #giveUp(failure: SessionFailure): void {
    if (this.reject(failure.status)) this.#user.onFailed(failure);
  }

  #receivePrack(request: SipRequest, prack: ServerTransaction): void {
    const { session } = this;
    if (!this.#provisionals.acknowledge(request)) return session.respond(prack, 481);
    const sdp = request.contentType === "application/sdp" ? request.body.toString("utf8") : "";
    if (sdp !== "" && this.offer === "" && session.firstExchange === "ours-unanswered") {
      session.firstExchange = "free";
      session.respond(prack, 200);
      this.#user.onEarlyAnswer?.(sdp);
    } else if (request.body.length > 0) session.receiveOffer(request, prack);
    else session.respond(prack, 200);
    if (this.#heldBack === undefined) return this.#provisionals.sendNext();
    this.accept(this.#heldBack.sdp, this.#heldBack.headers);
  }

  #create(
    status: number,
    { sdp, reason }: { sdp?: string | undefined; reason?: string | undefined },
    headers: readonly HeaderPair[] = [],
  ): SipResponse {
    const { contact, headers: own } = this.session.identity;
    return createResponse(this.request, status, {
      toTag: this.#localTag,
      reason,
      headers: [
        ...(status < 300 ? [["Contact", contact] as const] : []),
        ...own,
        ...headers,
        ...(sdp === undefined ? [] : [["Content-Type", "application/sdp"] as const]),
      ],
      body: sdp,
    });
  }
}
