import { compress, silenceByte, type Law } from "./g711.ts";

/** Samples of 20 ms at 8 kHz: one packet. */
export const frameSamples = 160;
export const frameMs = 20;
const sampleRate = 8000;
/** About -10 dBm0: well heard, far from clipping. */
const toneAmplitude = 8000;

/** What a number plays. */
export type Sound =
  /** Sends nothing at all. */
  | { readonly kind: "none" }
  | { readonly kind: "silence" }
  | { readonly kind: "tone"; readonly frequencyHz: number }
  /** A scale of eight notes of half a second each, over and over: the music on hold. */
  | { readonly kind: "music" }
  /** Sends back what it gets, digits too, after `delayMs`. */
  | { readonly kind: "echo"; readonly delayMs: number }
  /** Silence, into which the digits are sent as RFC 4733 events, half a second after the start. */
  | { readonly kind: "digits"; readonly digits: string };

/** C major from C5; a fourth above the usual speech pitch, so that it is told from the 440 Hz tone. */
const scaleHz = [523, 587, 659, 698, 784, 880, 988, 1047] as const;
const noteSamples = sampleRate / 2;

/** Linear value of sample number `index` of a sine that starts at zero with sample 0. */
function toneSample(frequencyHz: number, index: number): number {
  // The phase is taken modulo a whole second, so that late samples are as exact as early ones.
  const phase = ((frequencyHz * index) % sampleRate) / sampleRate;
  return Math.round(toneAmplitude * Math.sin(2 * Math.PI * phase));
}

/** The bytes of `count` samples from number `first` on, as they go on the wire. */
export function soundBytes(sound: Sound, law: Law, first: number, count: number): Buffer {
  const bytes = Buffer.alloc(count, silenceByte[law]);
  if (sound.kind !== "tone" && sound.kind !== "music") return bytes;
  for (let i = 0; i < count; i++) {
    const index = first + i;
    const frequency =
      sound.kind === "tone" ? sound.frequencyHz : (scaleHz[Math.floor(index / noteSamples) % 8] ?? 440);
    bytes[i] = compress(law, toneSample(frequency, index));
  }
  return bytes;
}
