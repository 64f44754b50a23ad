import { align, segmentalSnr } from "../../support/sound.ts";
import { stoi } from "../../support/stoi.ts";
import { frame } from "./browser-codec.ts";
import type { CleanBounds } from "./thresholds.ts";

/** What was measured of a sound beside the one that was spoken. */
export interface Measured {
  readonly lag: number;
  readonly correlation: number;
  readonly levelDb: number;
  readonly snr: number;
  readonly stoi: number;
}

/** Samples looked at to find the delay: 6 s hold enough that occurs only once. */
const alignSamples = 48_000;
const mostLag = 400;

/** The spoken sound from a place on, made once, so that what is known of it is too. */
const cuts = new WeakMap<Int16Array, Map<string, Int16Array>>();

function cutOnce(sound: Int16Array, from: number, length: number): Int16Array {
  const known = cuts.get(sound) ?? new Map<string, Int16Array>();
  cuts.set(sound, known);
  const made = known.get(`${from} ${length}`) ?? cut(sound, from, length);
  known.set(`${from} ${length}`, made);
  return made;
}

function cut(sound: Int16Array, from: number, length: number): Int16Array {
  const part = new Int16Array(length);
  part.set(sound.subarray(from, from + length));
  return part;
}

/** Measures `heard` against `spoken` after taking out the one delay that fits best. */
export function measure(spoken: Int16Array, heard: Int16Array): Measured {
  const lag = align(
    spoken.subarray(0, alignSamples),
    heard.subarray(0, alignSamples + mostLag),
    -mostLag,
    mostLag,
  );
  const length = Math.min(spoken.length, heard.length) - Math.abs(lag);
  const x = cutOnce(spoken, Math.max(0, -lag), length);
  const y = cut(heard, Math.max(0, lag), length);
  let product = 0;
  let xEnergy = 1;
  let yEnergy = 1;
  for (let index = 0; index < length; index++) {
    product += (x[index] ?? 0) * (y[index] ?? 0);
    xEnergy += (x[index] ?? 0) ** 2;
    yEnergy += (y[index] ?? 0) ** 2;
  }
  return {
    lag,
    correlation: product / Math.sqrt(xEnergy * yEnergy),
    levelDb: 10 * Math.log10(yEnergy / xEnergy),
    snr: segmentalSnr(x, y, 0, 1),
    stoi: stoi(x, y),
  };
}

/** Where a sound misses the bounds, in words; empty when nowhere. */
export function faults(measured: Measured, bounds: CleanBounds): string[] {
  const { lag, correlation, levelDb, snr } = measured;
  const found: [boolean, string][] = [
    [lag < bounds.lag[0] || lag > bounds.lag[1], `delay ${lag} samples`],
    [!(correlation >= bounds.correlation), `correlation ${correlation.toFixed(4)}`],
    [!(Math.abs(levelDb) <= bounds.levelDb), `level ${levelDb.toFixed(2)} dB`],
    [!(snr >= bounds.snr), `SNR ${snr.toFixed(1)} dB`],
    [!(measured.stoi >= bounds.stoi), `STOI ${measured.stoi.toFixed(3)}`],
  ];
  return found.filter(([is]) => is).map(([, words]) => words);
}

/** Energy (mean square) below which a frame is a pause: nothing is lost with it. */
const leastEnergy = 200 * 200;

/**
 * Mean SNR, dB, in the frames that were lost and had something to say; each counts -10 to 35 dB. Silence has 0.
 * NaN when there are none.
 */
export function coveredSnr(
  spoken: Int16Array,
  heard: Int16Array,
  lost: readonly number[],
  lag: number,
): number {
  let sum = 0;
  let count = 0;
  for (const index of lost) {
    let signal = 0;
    let error = 1;
    for (let at = index * frame; at < (index + 1) * frame; at++) {
      // The frame as it comes out: what a codec looks ahead moves its sound into the next one.
      const wanted = spoken[at - lag] ?? 0;
      signal += wanted * wanted;
      error += (wanted - (heard[at] ?? 0)) ** 2;
    }
    if (signal / frame < leastEnergy) continue;
    sum += Math.min(35, Math.max(-10, 10 * Math.log10(signal / error)));
    count++;
  }
  return sum / count;
}

/** Share of the harm that `worst` shows against `best` which `got` does not: 0 as bad, 1 as good. */
export function undone(best: number, got: number, worst: number): number {
  return (got - worst) / (best - worst);
}
