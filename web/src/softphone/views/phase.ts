import type { CallSnapshot } from "../phone/call.ts";
import type { Transfer } from "../phone/transfer.ts";

const PHASES: Readonly<Record<CallSnapshot["phase"], string>> = {
  ringing: "Incoming call",
  calling: "Calling…",
  alerting: "Ringing…",
  answering: "Answering…",
  resuming: "Coming back to the call…",
  talking: "In call",
  ended: "Ended",
};

/** Where a call stands, for a person. */
export function phaseText({
  phase,
  heldHere,
  heldThere,
  farRings,
}: Pick<CallSnapshot, "phase" | "heldHere" | "heldThere" | "farRings">): string {
  if (phase !== "talking") return PHASES[phase];
  if (heldHere) return "On hold";
  if (farRings) return PHASES.alerting;
  return heldThere ? "The other end holds the call" : PHASES.talking;
}

/** How a transfer goes, for a person. */
export function transferText({ to, state, reason }: Transfer): string {
  switch (state) {
    case "offered":
      return `Transfer to ${to}: offered…`;
    case "trying":
      return `Transfer to ${to}: being called…`;
    case "done":
      return `Transferred to ${to}.`;
    case "refused":
      return `Not transferred to ${to}: ${reason}`;
  }
}
