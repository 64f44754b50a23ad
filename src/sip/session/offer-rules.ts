/** How the exchange of descriptions stands when a further offer of the peer's comes in. */
export type OfferStanding =
  /** Nothing is under way. */
  | "free"
  /** Our offer is out, its answer not here. */
  | "ours-unanswered"
  /** The peer's earlier offer waits for our answer. */
  | "theirs-unanswered";

/** What an offer of the peer's gets; undefined: it is taken (RFC 3261 14.2, RFC 3311 5.2). */
export const offerRefusals = {
  free: undefined,
  "ours-unanswered": 491,
  "theirs-unanswered": 500,
} as const satisfies Record<OfferStanding, 491 | 500 | undefined>;

/** Retry-After of a 500 to an offer, seconds: 0 to 10 at random (RFC 3261 14.2, RFC 3311 5.2). */
export function retryAfterSeconds(fraction: number): number {
  return Math.floor(fraction * 11);
}

/**
 * How long an offer that met 491 waits, ms in steps of 10 (RFC 3261 14.1): who made the Call-ID 2.1 to 4 s, the other
 * 0 to 2 s, so that the two do not meet again.
 */
export function glareDelay(madeCallId: boolean, fraction: number): number {
  return madeCallId ? 2100 + Math.floor(fraction * 191) * 10 : Math.floor(fraction * 201) * 10;
}
