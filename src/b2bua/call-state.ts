import type { Transitions } from "../core/index.ts";

export type CallState = "setting-up" | "ringing" | "answering" | "established" | "ended";
export type CallInput = "ring" | "answer" | "establish" | "end";

export const callTransitions: Transitions<CallState, CallInput> = {
  "setting-up": { ring: "ringing", answer: "answering", end: "ended" },
  ringing: { ring: "ringing", answer: "answering", end: "ended" },
  // One side answered; its SDP or the other side's ACK is on its way.
  answering: { establish: "established", end: "ended" },
  established: { end: "ended" },
  ended: {},
};
