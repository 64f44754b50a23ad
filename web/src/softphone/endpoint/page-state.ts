import type { CallSnapshot } from "../phone/call-snapshot.ts";
import type { PhoneSnapshot } from "../phone/phone-snapshot.ts";
import type { PageCall, PageState } from "./wire.ts";

/** How the page is heard, volumes 0 to 1. */
export interface SoundNow {
  readonly microphone: { readonly muted: boolean; readonly volume: number };
  readonly speaker: { readonly muted: boolean; readonly volume: number };
}

/** What the gateway is told. */
export function pageState(
  { registration, call }: Pick<PhoneSnapshot, "registration" | "call">,
  { microphone, speaker }: SoundNow,
): PageState {
  return {
    signed_in: registration === "registered",
    microphone: { muted: microphone.muted, volume: percent(microphone.volume) },
    speaker: { muted: speaker.muted, volume: percent(speaker.volume) },
    call: call === undefined ? null : pageCall(call),
  };
}

/** The gateway takes no longer ones. */
const LONGEST_NUMBER = 64;

function percent(volume: number): number {
  return Math.round(volume * 100);
}

function pageCall(call: CallSnapshot): PageCall {
  return {
    state: stateOf(call),
    number: call.number.slice(0, LONGEST_NUMBER),
    direction: call.direction === "in" ? "incoming" : "outgoing",
    since: new Date(call.since ?? call.began).toISOString(),
  };
}

/** A call that SIP Server makes for the agent comes in and is answered; to a person it is dialling until the far side is there. */
function stateOf({ phase, farRings, heldHere }: CallSnapshot): PageCall["state"] {
  switch (phase) {
    case "ringing":
    case "answering":
      return "ringing";
    case "calling":
    case "alerting":
      return "dialling";
    case "resuming":
    case "talking":
    case "ended":
  }
  if (heldHere) return "held";
  return farRings ? "dialling" : "established";
}
