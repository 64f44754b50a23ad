import { uriOf, userOf } from "../wire/address.ts";
import type { ServerTransaction } from "../wire/server-transaction.ts";
import { cseqNumber, headerOf, type Header, type SipMessage } from "../wire/text.ts";
import type { Dialog } from "./dialog.ts";
import { allowLater, supported } from "./leg-headers.ts";
import type { EndCause, Party, PartyOwner } from "./party.ts";

/** The leg, as far as its incoming requests touch it. */
export interface RequestedLeg extends Party {
  readonly dialog: Dialog;
  readonly state: string;
  lastReceived: string | undefined;
  describe(sdp: string): string;
  remoteEnded(cause: EndCause): void;
  /** NOTIFY about a REFER of ours. */
  referTold(notify: SipMessage): void;
}

/** Requests the endpoint sends inside its dialog. */
export class IncomingRequests {
  readonly #leg: RequestedLeg;
  readonly #owner: PartyOwner;
  /** The re-INVITE in hand: unanswered, or answered and not ACKed. */
  #reinvite: ServerTransaction | undefined;

  constructor(leg: RequestedLeg, owner: PartyOwner) {
    this.#leg = leg;
    this.#owner = owner;
  }

  receive(transaction: ServerTransaction): void {
    const { request } = transaction;
    // RFC 3261 12.2.2: out of order.
    if (cseqNumber(request) < this.#leg.dialog.remoteCseq) {
      return transaction.respond({ status: 500, reason: "Server Internal Error" });
    }
    this.#leg.dialog.remoteCseq = cseqNumber(request);
    switch (request.method) {
      case "BYE":
        return this.#bye(transaction);
      case "INVITE":
        return this.#renegotiate(transaction);
      case "UPDATE":
        if (request.body !== "") return this.#renegotiate(transaction);
        return transaction.respond({ status: 200, reason: "OK", extra: [this.#leg.dialog.contact] });
      case "REFER":
        return this.#owner.partyRefers(this.#leg, transaction);
      case "NOTIFY":
        transaction.respond({ status: 200, reason: "OK" });
        return this.#leg.referTold(request);
      case "INFO":
      case "MESSAGE":
      case "OPTIONS":
        return transaction.respond({ status: 200, reason: "OK" });
      default:
        return transaction.respond({
          status: 405,
          reason: "Method Not Allowed",
          extra: [["Allow", allowLater]],
        });
    }
  }

  /** Whether the ACK was that of the re-INVITE in hand. */
  acknowledged(ack: SipMessage): boolean {
    const reinvite = this.#reinvite;
    if (!reinvite || cseqNumber(ack) !== cseqNumber(reinvite.request)) return false;
    reinvite.acknowledged();
    this.#reinvite = undefined;
    if (ack.body !== "") this.#leg.lastReceived = ack.body;
    this.#owner.partyRenegotiated(this.#leg, ack.body || undefined);
    return true;
  }

  /** The leg is over: an unanswered re-INVITE gets its end. */
  close(): void {
    this.#reinvite?.respond({ status: 487, reason: "Request Terminated" });
    this.#reinvite?.acknowledged();
    this.#reinvite = undefined;
  }

  #bye(transaction: ServerTransaction): void {
    transaction.respond({ status: 200, reason: "OK" });
    const reasonHeader = headerOf(transaction.request, "Reason");
    const who = userOf(uriOf(headerOf(transaction.request, "From") ?? ""));
    this.#leg.remoteEnded({
      text: `BYE from ${who}`,
      ...(reasonHeader === undefined ? {} : { reasonHeader }),
    });
  }

  #renegotiate(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (this.#reinvite || this.#leg.state !== "confirmed") {
      return transaction.respond({ status: 491, reason: "Request Pending" });
    }
    this.#leg.dialog.learn(request);
    if (request.body !== "") this.#leg.lastReceived = request.body;
    const acked = request.method === "INVITE";
    if (acked) this.#reinvite = transaction;
    this.#owner.partyRenegotiates(this.#leg, request.body || undefined, {
      accept: (sdp) => {
        if (transaction.answered) return;
        transaction.onUnacknowledged = () => {
          this.#reinvite = undefined;
          this.#leg.end({ text: "re-INVITE never acknowledged" });
          this.#owner.partyEnded(this.#leg, { text: "our 200 to a re-INVITE was never acknowledged" });
        };
        const extra: Header[] = [this.#leg.dialog.contact, ["Allow", allowLater], ["Supported", supported]];
        transaction.respond({ status: 200, reason: "OK", extra, body: this.#leg.describe(sdp) });
        if (!acked) this.#owner.partyRenegotiated(this.#leg, undefined);
      },
      refuse: (status, reason) => {
        if (acked) this.#reinvite = undefined;
        transaction.respond({ status, reason });
      },
    });
  }
}
