import type { PhoneSnapshot } from "../phone/phone-snapshot.ts";
import type { Tone } from "./sounds.ts";

/** What the page itself plays while the phone is so. */
export function toneOf({ call, otherCalls }: Pick<PhoneSnapshot, "call" | "otherCalls">): Tone {
  if (call?.phase === "ringing") return "ring";
  if (otherCalls.some(({ phase }) => phase === "ringing")) return "waiting";
  if (call?.phase === "talking" && call.farRings && !call.heldHere) return "ringback";
  return call?.phase === "alerting" && !call.earlyMedia ? "ringback" : "none";
}
