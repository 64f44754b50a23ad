import type { CallSnapshot } from "../phone/call-snapshot.ts";
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

const TRANSFERS: Readonly<Record<Transfer["state"], (to: string, reason: string) => string>> = {
  offered: (to) => `Transfer to ${to}: offered…`,
  trying: (to) => `Transfer to ${to}: being called…`,
  done: (to) => `Transferred to ${to}.`,
  refused: (to, reason) => `Not transferred to ${to}: ${reason}`,
};

/** How a transfer goes, for a person. */
export function transferText({ to, state, reason }: Transfer): string {
  return TRANSFERS[state](to, reason);
}
