import type { Sound } from "./media/sound.ts";

/** What a number of the sandbox does when it is called. */
export type NumberBehaviour =
  /** Rings for `ringMs`, answers, plays; optionally moves its RTP port after the answer, or hangs up itself. */
  | {
      readonly kind: "answer";
      readonly sound: Sound;
      readonly ringMs?: number;
      readonly renegotiate?: boolean;
      readonly hangUpAfterMs?: number;
      /** What the sandbox does for the calling DN after the call, two seconds later. */
      readonly afterwards?: "ring-back" | "make-call";
    }
  /** Sound in a 183 before the answer. */
  | {
      readonly kind: "early-media";
      readonly early: Sound;
      readonly earlyMs: number;
      readonly sound: Sound;
    }
  /** A final failure at once. */
  | { readonly kind: "fail"; readonly status: number; readonly reason: string }
  /** 180 and nothing more, until CANCEL or, after `giveUpMs`, 408. */
  | { readonly kind: "no-answer"; readonly giveUpMs: number };

/** One entry of the number plan. */
export interface SandboxNumber {
  readonly number: string;
  /** For people: what happens when it is dialled. */
  readonly title: string;
  readonly behaviour: NumberBehaviour;
}

const echo: Sound = { kind: "echo", delayMs: 0 };
const tone: Sound = { kind: "tone", frequencyHz: 440 };

/** The number plan, also for printing. DNs of agents are numbers too. */
export const sandboxNumbers: readonly SandboxNumber[] = [
  { number: "9196", title: "echo: you hear yourself", behaviour: { kind: "answer", sound: echo } },
  { number: "9197", title: "tone of 440 Hz", behaviour: { kind: "answer", sound: tone } },
  { number: "9198", title: "busy (486)", behaviour: { kind: "fail", status: 486, reason: "Busy Here" } },
  { number: "9199", title: "rings, nobody answers", behaviour: { kind: "no-answer", giveUpMs: 120_000 } },
  { number: "9200", title: "rejects (603)", behaviour: { kind: "fail", status: 603, reason: "Decline" } },
  {
    number: "9201",
    title: "early media: a tone before the answer, then echo",
    behaviour: { kind: "early-media", early: { kind: "tone", frequencyHz: 425 }, earlyMs: 2000, sound: echo },
  },
  {
    number: "9202",
    title: "hangs up and calls you back after 2 seconds",
    behaviour: { kind: "answer", sound: tone, hangUpAfterMs: 1000, afterwards: "ring-back" },
  },
  {
    number: "9203",
    title: "echo; when you have hung up, SIP Server makes a call for you (3pcc)",
    behaviour: { kind: "answer", sound: echo, afterwards: "make-call" },
  },
  {
    number: "9204",
    title: "echo that moves to another RTP port after the answer",
    behaviour: { kind: "answer", sound: echo, renegotiate: true },
  },
  {
    number: "9205",
    title: "sends the digits 1 2 3 #",
    behaviour: { kind: "answer", sound: { kind: "digits", digits: "123#" } },
  },
  {
    number: "9206",
    title: "rings for 3 seconds, then music",
    behaviour: { kind: "answer", sound: { kind: "music" }, ringMs: 3000 },
  },
];
