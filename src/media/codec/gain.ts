import { compress, expansion, transcoding, type Law } from "./g711.ts";

/** A gain as the relay applies it: to codes by table, to samples by a factor. */
export interface Gain {
  /** 1 = as it is. */
  readonly factor: number;
  /** Code of one law to code of another, gain included. */
  readonly codes: typeof transcoding;
  /** Sample (16 bit) of each code, gain included. */
  readonly samples: Readonly<Record<Law, Int16Array>>;
}

/** Sound as it is: the codec's own tables. */
export const noGain: Gain = { factor: 1, codes: transcoding, samples: expansion };

const made = new Map<number, Gain>([[0, noGain]]);

/** The gain of `decibels`; the tables of each value are made once. */
export function gainOf(decibels: number): Gain {
  const known = made.get(decibels);
  if (known) return known;
  const factor = 10 ** (decibels / 20);
  const samples = { pcmu: louder("pcmu", factor), pcma: louder("pcma", factor) };
  const recode = (from: Law, to: Law): Uint8Array =>
    Uint8Array.from(samples[from], (sample) => compress(sample, to));
  const codes = {
    pcmu: { pcmu: recode("pcmu", "pcmu"), pcma: recode("pcmu", "pcma") },
    pcma: { pcmu: recode("pcma", "pcmu"), pcma: recode("pcma", "pcma") },
  };
  const gain = { factor, codes, samples };
  made.set(decibels, gain);
  return gain;
}

function louder(law: Law, factor: number): Int16Array {
  return Int16Array.from(expansion[law], (sample) => saturated(sample * factor));
}

function saturated(value: number): number {
  return value > 32767 ? 32767 : value < -32768 ? -32768 : Math.round(value);
}

/** Multiplies the first `count` samples of `pcm` in place, held at full scale rather than wrapped. */
export function amplify(pcm: Int16Array, count: number, factor: number): void {
  for (let index = 0; index < count; index++) pcm[index] = saturated((pcm[index] ?? 0) * factor);
}
