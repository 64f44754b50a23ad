/** A tone and its rhythm. */
export interface Pattern {
  /** Hz. */
  readonly frequencies: readonly number[];
  readonly gain: number;
  /** Seconds of sound in each round of `period` seconds. */
  readonly bursts: readonly (readonly [from: number, to: number])[];
  readonly period: number;
}

const RING: Pattern = {
  frequencies: [523.25, 659.25],
  gain: 0.22,
  bursts: [
    [0, 0.4],
    [0.6, 1],
  ],
  period: 3,
};

export const PATTERNS: Readonly<Record<"ring" | "waiting" | "ringback", Pattern>> = {
  ring: RING,
  waiting: { frequencies: [425], gain: 0.05, bursts: [[0, 0.2]], period: 5 },
  // ITU-T E.180 supplement 2: 425 Hz, one second in five.
  ringback: { frequencies: [425], gain: 0.07, bursts: [[0, 1]], period: 5 },
};

export const RING_ONCE: Pattern = { ...RING, period: 1.2 };

export const BEEP: Pattern = { frequencies: [1000], gain: 0.1, bursts: [[0, 0.2]], period: 0.5 };

/** To find out by where the speaker's sound comes out. */
export const CHIME: Pattern = {
  frequencies: [440, 554.37, 659.25],
  gain: 0.12,
  bursts: [
    [0, 0.25],
    [0.35, 0.9],
  ],
  period: 1.2,
};
