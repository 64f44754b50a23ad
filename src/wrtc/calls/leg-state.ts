import type { Transitions } from "../../core/index.ts";
import type { ClientMessage } from "../contract.ts";

/**
 * Where the client's side of its one call stands (wrtc-http-protocol.md 2.2, as seen by us). `offering`: its OFFER waits for
 * our ANSWER; `early`: it has that ANSWER, the far side has not answered; `ringing`: our OFFER waits for its ANSWER;
 * `re-offering`: an OFFER of its within the call waits. A session without a leg is idle.
 */
export type LegState = "offering" | "early" | "ringing" | "established" | "re-offering" | "ended";
export type LegInput = "progress" | "answer" | "re-offer" | "re-answer" | "end";

export const legTransitions: Transitions<LegState, LegInput> = {
  offering: { progress: "early", answer: "established", end: "ended" },
  early: { answer: "established", end: "ended" },
  ringing: { answer: "established", end: "ended" },
  established: { "re-offer": "re-offering", end: "ended" },
  "re-offering": { "re-answer": "established", end: "ended" },
  ended: {},
};

/**
 * What a message of the client's does. `anew`: what was being set up is given up for the call that this OFFER begins;
 * `later`: done when the state allows it; `none`: nothing, a line in the log.
 */
export type LegAct = "anew" | "re-offer" | "later" | "answer" | "hang-up" | "send" | "count" | "none";

type Acts = Readonly<Record<LegState, LegAct>>;

/** wrtc-http-protocol.md 2.3; glare: the client drops our OFFER once it has one of its own out, so that its own wins. */
export const legActs: Readonly<Record<ClientMessage["kind"], Acts>> = {
  offer: {
    offering: "anew",
    early: "later",
    ringing: "anew",
    established: "re-offer",
    "re-offering": "later",
    ended: "none",
  },
  answer: {
    offering: "none",
    early: "none",
    ringing: "answer",
    established: "none",
    "re-offering": "none",
    ended: "none",
  },
  // It confirms what it was told; SIP has acknowledged long before.
  ok: {
    offering: "none",
    early: "none",
    ringing: "none",
    established: "none",
    "re-offering": "none",
    ended: "none",
  },
  bye: {
    offering: "hang-up",
    early: "hang-up",
    ringing: "hang-up",
    established: "hang-up",
    "re-offering": "hang-up",
    ended: "none",
  },
  info: {
    offering: "later",
    early: "later",
    ringing: "later",
    established: "send",
    "re-offering": "send",
    ended: "none",
  },
  // Between our OFFER and its ANSWER the client must see no JSON but that OFFER.
  "get-stats": {
    offering: "none",
    early: "count",
    ringing: "none",
    established: "count",
    "re-offering": "count",
    ended: "none",
  },
};
