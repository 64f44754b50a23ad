import { compress, expansion, type Law } from "../../src/media/codec/g711.ts";

/** Samples a second of all sound here. */
export const soundRate = 8000;

/** A sine of `hertz`, `seconds` long, 16-bit samples. */
export function tone(hertz: number, seconds: number, amplitude = 8000): Int16Array {
  return Int16Array.from({ length: Math.round(seconds * soundRate) }, (_, index) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * hertz * index) / soundRate)),
  );
}

/**
 * Something like a voice: a pitch that moves, harmonics, syllables with short silences between, a little
 * noise. Never repeats within a second, so that alignment is unambiguous. Different seeds do not correlate.
 */
export function voice(seconds: number, seed = 1): Int16Array {
  let state = seed * 2_654_435_761;
  const noise = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const samples = new Int16Array(Math.round(seconds * soundRate));
  let phase = 0;
  let syllableEnd = 0;
  let pitch = 120;
  let loudness = 0;
  let timbre = 1;
  for (let index = 0; index < samples.length; index++) {
    if (index >= syllableEnd) {
      syllableEnd = index + Math.round((0.12 + 0.12 * (noise() + 1)) * soundRate);
      pitch = 150 + 50 * noise() + 20 * seed;
      loudness = noise() > 0.7 ? 0 : 2500 + 1200 * noise();
      timbre = 2 + Math.round(3 * (noise() + 1));
    }
    phase += (2 * Math.PI * (pitch + 15 * Math.sin(index / 900))) / soundRate;
    let value = 0;
    for (let harmonic = 1; harmonic <= 12; harmonic++)
      value += Math.sin(phase * harmonic) / (1 + Math.abs(harmonic - timbre));
    samples[index] = Math.round(loudness * value + 20 * noise());
  }
  return samples;
}

/** 16-bit samples to codes of a law and back. */
export function toCodes(samples: Int16Array, law: Law): Buffer {
  const codes = Buffer.alloc(samples.length);
  for (let index = 0; index < samples.length; index++) codes[index] = compress(samples[index] ?? 0, law);
  return codes;
}

export function fromCodes(codes: Uint8Array, law: Law): Int16Array {
  const samples = new Int16Array(codes.length);
  const table = expansion[law];
  for (let index = 0; index < codes.length; index++) samples[index] = table[codes[index] ?? 0] ?? 0;
  return samples;
}

/** The lag (samples, `heard` later than `sent`) from `from` to `to` at which the two correlate best. */
export function align(sent: Int16Array, heard: Int16Array, from = 0, to = 4000): number {
  let best = from;
  let bestLikeness = -Infinity;
  for (let lag = from; lag <= to; lag++) {
    let product = 0;
    let energy = 1;
    const end = Math.min(sent.length, heard.length - lag);
    for (let index = Math.max(0, -lag); index < end; index += 3) {
      const value = heard[index + lag] ?? 0;
      product += (sent[index] ?? 0) * value;
      energy += value * value;
    }
    const likeness = product / Math.sqrt(energy);
    if (likeness > bestLikeness) {
      bestLikeness = likeness;
      best = lag;
    }
  }
  return best;
}

const segmentSamples = 160;
/** Segments quieter than this (mean square) tell nothing about the path. */
const leastEnergy = 200 * 200;

/** The gain that makes `heard` most like `sent`. */
function bestGain(sent: Int16Array, heard: Int16Array, lag: number): number {
  let product = 0;
  let energy = 1;
  for (let index = Math.max(0, -lag); index < sent.length && index + lag < heard.length; index++) {
    product += (sent[index] ?? 0) * (heard[index + lag] ?? 0);
    energy += (heard[index + lag] ?? 0) ** 2;
  }
  return product / energy;
}

/**
 * Mean signal-to-noise ratio of 20 ms segments, dB, each taken to -10 ... 35 dB, after alignment. Pauses are left out.
 * -Infinity where nothing could be compared. `gain`: what `heard` is multiplied with, by default what fits the whole
 * recording best; give 1 where some of it is made up, or that counts against the rest.
 */
export function segmentalSnr(
  sent: Int16Array,
  heard: Int16Array,
  lag = align(sent, heard),
  gain = bestGain(sent, heard, lag),
): number {
  let sum = 0;
  let segments = 0;
  for (let start = Math.max(0, -lag); start + segmentSamples <= sent.length; start += segmentSamples) {
    if (start + lag + segmentSamples > heard.length) break;
    let signal = 0;
    let error = 1;
    for (let index = start; index < start + segmentSamples; index++) {
      const wanted = sent[index] ?? 0;
      signal += wanted * wanted;
      error += (wanted - gain * (heard[index + lag] ?? 0)) ** 2;
    }
    if (signal / segmentSamples < leastEnergy) continue;
    sum += Math.min(35, Math.max(-10, 10 * Math.log10(signal / error)));
    segments++;
  }
  return segments === 0 ? -Infinity : sum / segments;
}
