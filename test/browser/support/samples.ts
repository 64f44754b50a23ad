import type { Sound } from "./page/contract.ts";

/** Mono sound, -1 to 1. */
export interface Samples {
  readonly sampleRate: number;
  readonly samples: Float32Array;
}

export function encodeSound({ sampleRate, samples }: Samples): Sound {
  const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  return { sampleRate, base64: bytes.toString("base64") };
}

export function decodeSound({ sampleRate, base64 }: Sound): Samples {
  // Copied: a Buffer from the pool need not begin at a multiple of four bytes.
  return { sampleRate, samples: new Float32Array(new Uint8Array(Buffer.from(base64, "base64")).buffer) };
}

/** A sine of `seconds`, in whole samples. */
export function tone(frequency: number, seconds: number, gain = 0.5, sampleRate = 48_000): Samples {
  const samples = Float32Array.from(
    { length: Math.round(seconds * sampleRate) },
    (_, at) => gain * Math.sin((2 * Math.PI * frequency * at) / sampleRate),
  );
  return { sampleRate, samples };
}

/** Root mean square, 0 for no samples. */
export function level({ samples }: Samples): number {
  if (samples.length === 0) return 0;
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

const WINDOW_S = 0.05;

/** Twice the squared magnitude at one frequency (Goertzel), per sample: equals the power of a pure sine there. */
function powerAt(samples: Float32Array, sampleRate: number, frequency: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * frequency) / sampleRate);
  let before = 0;
  let last = 0;
  for (const sample of samples) {
    const next = sample + coefficient * last - before;
    before = last;
    last = next;
  }
  return (2 * (before * before + last * last - coefficient * before * last)) / samples.length;
}

/**
 * Share of the sound's power that lies within about 20 Hz of `frequency`, 0 to 1: 1 for a pure sine, 0 for silence.
 * Taken in windows of 50 ms, because a jitter buffer stretches sound and with it breaks the phase of a longer one.
 */
export function shareOfTone({ samples, sampleRate }: Samples, frequency: number): number {
  const size = Math.round(WINDOW_S * sampleRate);
  let at = 0;
  let power = 0;
  let found = 0;
  for (; at + size <= samples.length; at += size) {
    const window = samples.subarray(at, at + size);
    power += window.reduce((sum, sample) => sum + sample * sample, 0);
    found += powerAt(window, sampleRate, frequency);
  }
  return power === 0 ? 0 : Math.min(1, found / power);
}

/** The part of a sound between two times in seconds. */
export function cut({ samples, sampleRate }: Samples, from: number, to: number): Samples {
  return { sampleRate, samples: samples.slice(Math.round(from * sampleRate), Math.round(to * sampleRate)) };
}

/** From the first to the last sample louder than `threshold`: what is left of a recording without its silence. */
export function loudPart({ samples, sampleRate }: Samples, threshold = 0.05): Samples {
  const first = samples.findIndex((sample) => Math.abs(sample) > threshold);
  const last = samples.findLastIndex((sample) => Math.abs(sample) > threshold);
  return { sampleRate, samples: first < 0 ? new Float32Array(0) : samples.slice(first, last + 1) };
}
