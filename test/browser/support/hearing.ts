import { createDecoder } from "libopus-wasm";
import type { RecordedPacket } from "../../../src/sandbox/index.ts";
import { align, fromCodes, segmentalSnr, soundRate } from "../../support/sound.ts";
import type { WireFrame } from "./phone-page.ts";
import type { Samples } from "./samples.ts";

const pageRate = 48_000;
const times = pageRate / soundRate;
const halfWidth = 24;
/** Where in a recording the sound begins at the latest. */
const latestSamples = 6000;

/**
 * 16-bit samples at 8 kHz as the page plays them at 48 kHz: band-limited (windowed sinc), because the browser's own
 * conversion is linear and would be heard as an error of the path.
 */
export function forPage(sound: Int16Array): Samples {
  const samples = new Float32Array(sound.length * times);
  for (let phase = 0; phase < times; phase++) {
    const kernel = sinc(phase / times);
    for (let at = 0; at < sound.length; at++) {
      let sum = 0;
      for (let tap = 0; tap < kernel.length; tap++)
        sum += (sound[at + tap - halfWidth + 1] ?? 0) * (kernel[tap] ?? 0);
      samples[at * times + phase] = sum / 32_768;
    }
  }
  return { sampleRate: pageRate, samples };
}

/** Weights of the samples around a point `fraction` of a sample after one of them. */
function sinc(fraction: number): Float64Array {
  return Float64Array.from({ length: 2 * halfWidth }, (_, tap) => {
    const distance = tap - halfWidth + 1 - fraction;
    const window = 0.5 + 0.5 * Math.cos((Math.PI * distance) / (halfWidth + 1));
    return distance === 0 ? 1 : (Math.sin(Math.PI * distance) / (Math.PI * distance)) * window;
  });
}

/**
 * Segmental SNR of what was heard of a sound, dB, at the best of the delays of a sixth of a sample each: where the
 * browser's conversion from 48 to 8 kHz puts its samples is its own business.
 */
export function likeness(sent: Int16Array, heard: Int16Array): number {
  const fine = forPage(sent).samples;
  const lag = align(sent, heard, 0, Math.max(0, Math.min(latestSamples, heard.length - soundRate)));
  let best = -Infinity;
  for (let shift = -times; shift <= times; shift++) {
    const shifted = Int16Array.from(sent, (_, at) => Math.round(32_768 * (fine[at * times + shift] ?? 0)));
    best = Math.max(best, segmentalSnr(shifted, heard, lag));
  }
  return best;
}

/** What the far number heard, put together without regard to time: sequence numbers have no gap in a good call. */
export function heardByNumber(packets: readonly RecordedPacket[], law: "pcmu" | "pcma"): Int16Array {
  return fromCodes(Buffer.concat(packets.map(({ payload }) => payload)), law);
}

/** 16-bit samples at 8 kHz in the page's form, to be measured. */
export function asSamples(sound: Int16Array): Samples {
  return { sampleRate: soundRate, samples: Float32Array.from(sound, (value) => value / 32_768) };
}

/** What the browser got, decoded by libopus on its own: NetEq's stretching of time is not in it. */
export async function decodeOpus(frames: readonly WireFrame[]): Promise<Int16Array> {
  const decoder = await createDecoder({ sampleRate: soundRate, channels: 1 });
  const parts = frames.map(({ data }) => decoder.decode(data));
  decoder.free();
  const all = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
