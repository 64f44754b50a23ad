import type { ServerTransaction } from "../wire/server-transaction.ts";

/** Why a party's part in a call ended. */
export interface EndCause {
  /** In words, for the record. */
  readonly text: string;
  /** Value of a Reason header (RFC 3326), handed on to the other side. */
  readonly reasonHeader?: string;
  /** Failure an unanswered caller gets. Default 480. */
  readonly status?: number;
  readonly reason?: string;
}

/** What came of an offer or of the wish for one. */
export type OfferResult =
  | { readonly ok: true; readonly sdp: string }
  | { readonly ok: false; readonly status: number; readonly reason: string };

/** What a called party tells about the call's beginning. */
export interface CalledListener {
  progress(status: 180 | 183, sdp: string | undefined): void;
  /** `sdp`: answer to the offer given, or an offer where none was. */
  answered(sdp: string): void;
  failed(status: number, reason: string): void;
}

/** How a re-INVITE of a party is answered. */
export interface RenegotiationReply {
  accept(sdp: string): void;
  refuse(status: number, reason: string): void;
}

/** Told over the whole life of a party. */
export interface PartyOwner {
  /** The party is gone by itself: BYE, CANCEL, timeout. Told once, and never after `end`. */
  partyEnded(party: Party, cause: EndCause): void;
  /** The party sends a new offer, or asks for one (`sdp` undefined). */
  partyRenegotiates(party: Party, sdp: string | undefined, reply: RenegotiationReply): void;
  /** The exchange of that re-INVITE is over; `sdp` is the answer where we made the offer. */
  partyRenegotiated(party: Party, sdp: string | undefined): void;
  /** The session wants its refresh (RFC 4028). */
  refreshDue(party: Party): void;
  /** The endpoint sent REFER; it must be answered through `transaction`. */
  partyRefers(party: Party, transaction: ServerTransaction): void;
}

/** One side of a call: an agent's DN or a number of the sandbox. */
export interface Party {
  /** DN or number. */
  readonly name: string;
  /** Calls the party; without an offer it is asked to make one. */
  call(offer: string | undefined, listener: CalledListener): void;
  /** Ends the exchange begun by `call` or `askOffer`, with the answer to the party's offer if it made one. */
  acknowledge(answer: string | undefined): void;
  /** Asks for a fresh offer in a running call; `acknowledge` must follow. */
  askOffer(): Promise<OfferResult>;
  /** Gives an offer in a running call. */
  giveOffer(sdp: string): Promise<OfferResult>;
  /** Ends its part, whatever the state; idempotent. */
  end(cause: EndCause): void;
}
