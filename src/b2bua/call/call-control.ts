import type { CallState } from "./call-state.ts";

/** Events of SIP Server's third-party call control (DN option sip-cti-control). */
export const controlEvents = ["talk", "hold", "dtmf", "beep"] as const;
export type ControlEvent = (typeof controlEvents)[number];

/**
 * What a control event does. `answer`: the ringing client is to answer (nothing where the agent called); `retrieve` does
 * nothing on a call that is not held; `none`: the 200 was all.
 */
export type ControlAct = "answer" | "hold" | "retrieve" | "digits" | "beep" | "none";

/**
 * genesys-sip-server.md 6. The states before `answering` are the early dialog. From our 200 on, `answering`, the dialog is
 * confirmed (RFC 3261 12.1), though SIP Server may owe its ACK for 32 s yet: what then asks for a re-INVITE waits for it.
 */
export const controlActs: Readonly<Record<ControlEvent, Readonly<Record<CallState, ControlAct>>>> = {
  talk: {
    "setting-up": "answer",
    ringing: "answer",
    parked: "answer",
    answering: "retrieve",
    established: "retrieve",
    ended: "none",
  },
  hold: {
    "setting-up": "none",
    ringing: "none",
    parked: "none",
    answering: "hold",
    established: "hold",
    ended: "none",
  },
  dtmf: {
    "setting-up": "none",
    ringing: "none",
    parked: "none",
    answering: "digits",
    established: "digits",
    ended: "none",
  },
  beep: {
    "setting-up": "none",
    ringing: "none",
    parked: "none",
    answering: "beep",
    established: "beep",
    ended: "none",
  },
};
