import type { LegEnd } from "../../b2bua/index.ts";
import type { LegState } from "./leg-state.ts";

/** Whether the far side has answered and the leg is not over. */
export function isEstablished(state: LegState): boolean {
  return state === "established" || state === "re-offering";
}

const beforeAnswer = { status: 487, reason: "agent's client: BYE before the answer" };
const normal = { status: 200, reason: "agent's client: BYE" };

/** Why the leg is over when the client says BYE, by where it stood. */
export const endByBye: Readonly<Record<LegState, LegEnd>> = {
  offering: beforeAnswer,
  early: beforeAnswer,
  ringing: { status: 603, reason: "agent's client: BYE, declined" },
  established: normal,
  "re-offering": normal,
  ended: normal,
};

/** Likewise when the client's OFFER begins another call, before this one was answered. */
export function endByOffer(state: LegState): LegEnd {
  return state === "ringing"
    ? { status: 486, reason: "agent's client calls somebody itself" }
    : { status: 487, reason: "agent's client calls somebody else" };
}

/** Likewise when the client's session is over, with its reason. */
export function endByClose(state: LegState, reason: string): LegEnd {
  return { status: state === "offering" || state === "early" ? 487 : 480, reason };
}
