import { randomId } from "../../core/index.ts";
import { dialogOfUas, type HeaderPair } from "../dialog/index.ts";
import { createResponse } from "../message/index.ts";
import type { SipRequest } from "../message/types.ts";
import type { ServerTransaction } from "../transaction/types.ts";
import type { Authentication } from "./authenticated-request.ts";
import { Session } from "./session.ts";
import type { SessionContext, SessionIdentity, SessionRoute, SessionUser } from "./types.ts";

/** An INVITE we received, from the first response to the final one (RFC 3261 13.3). */
export class IncomingInvite {
  readonly request: SipRequest;
  readonly session: Session;
  readonly #transaction: ServerTransaction;
  readonly #localTag: string;
  #final = false;

  constructor(
    context: SessionContext,
    transaction: ServerTransaction,
    parts: {
      route: SessionRoute;
      identity: SessionIdentity;
      user: SessionUser;
      authentication?: Authentication;
    },
  ) {
    this.request = transaction.request;
    this.#transaction = transaction;
    this.#localTag = randomId(context.random);
    this.session = new Session(context, { role: "uas", ...parts });
    this.session.useDialog(dialogOfUas(transaction.request, this.#localTag));
    const givenUp = (header: string | undefined): void => {
      if (!this.reject(487)) return;
      parts.user.onFailed({ status: 487, reason: "cancelled", ...(header === undefined ? {} : { header }) });
    };
    transaction.onCancel = (cancel) => givenUp(cancel.headers.get("Reason"));
    this.session.onEarlyBye = givenUp;
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

  /** 180 or 183 with the dialog's tag; with `sdp` as early media. */
  progress(status: number, sdp?: string, headers: readonly HeaderPair[] = []): void {
    if (!this.#final) this.#respond(status, sdp, undefined, headers);
  }

  /** 200 with `sdp`, repeated until the ACK. Nothing happens after a final response. */
  accept(sdp: string, headers: readonly HeaderPair[] = []): void {
    if (this.#final) return;
    this.#final = true;
    this.session.accept(this.#transaction, this.#create(200, sdp, undefined, headers));
  }

  /** Final refusal. False when a final response was sent before. */
  reject(status: number, reason?: string, headers: readonly HeaderPair[] = []): boolean {
    if (this.#final) return false;
    this.#final = true;
    this.#respond(status, undefined, reason, headers);
    this.session.close();
    return true;
  }

  /** Later responses go by the flow on which the client came back. */
  rebind(flow: ServerTransaction["flow"]): void {
    this.#transaction.rebind(flow);
  }

  #respond(status: number, sdp?: string, reason?: string, headers: readonly HeaderPair[] = []): void {
    this.#transaction.respond(this.#create(status, sdp, reason, headers));
  }

  #create(status: number, sdp?: string, reason?: string, headers: readonly HeaderPair[] = []) {
    const { contact, headers: own } = this.session.identity;
    return createResponse(this.request, status, {
      toTag: this.#localTag,
      ...(reason === undefined ? {} : { reason }),
      headers: [
        ...(status < 300 ? [["Contact", contact] as const] : []),
        ...own,
        ...headers,
        ...(sdp === undefined ? [] : [["Content-Type", "application/sdp"] as const]),
      ],
      ...(sdp === undefined ? {} : { body: sdp }),
    });
  }
}
