import type { Transitions } from "../../core/index.ts";

export type CallState = "setting-up" | "ringing" | "parked" | "answering" | "established" | "ended";
export type CallInput = "ring" | "park" | "answer" | "establish" | "end";

export const callTransitions: Transitions<CallState, CallInput> = {
  "setting-up": { ring: "ringing", park: "parked", answer: "answering", end: "ended" },
  ringing: { ring: "ringing", park: "parked", answer: "answering", end: "ended" },
  // The client answered by itself; SIP Server sees a ringing phone until it wants the answer.
  parked: { ring: "parked", answer: "answering", end: "ended" },
  // One side answered; its SDP or the other side's ACK is on its way.
  answering: { establish: "established", end: "ended" },
  established: { end: "ended" },
  ended: {},
};
