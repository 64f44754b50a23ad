import { seededFraction } from "./seeded.ts";
import { soundRate } from "./sound.ts";

/** Formant frequencies, Hz, and loudness of what is said. Vowels after Peterson and Barney (1952). */
const vowels = [
  [730, 1090, 2440],
  [530, 1840, 2480],
  [300, 2290, 3010],
  [570, 840, 2410],
  [320, 870, 2240],
  [500, 1500, 2500],
  [660, 1720, 2410],
] as const;
const voicedConsonants = [
  { formants: [260, 1050, 2200], loudness: 0.35 }, // m
  { formants: [260, 1500, 2500], loudness: 0.35 }, // n
  { formants: [360, 1250, 2700], loudness: 0.6 }, // l
  { formants: [300, 2100, 2900], loudness: 0.6 }, // y
] as const;
const fricatives = [
  { centre: 3300, width: 700, loudness: 0.5 }, // s, as far as a telephone carries it
  { centre: 2500, width: 600, loudness: 0.6 }, // sh
  { centre: 1800, width: 2500, loudness: 0.2 }, // f
] as const;

/** A stretch of speech with steady targets; the synthesiser glides from one to the next. */
interface Piece {
  readonly seconds: number;
  readonly formants: readonly number[];
  /** Loudness of the voice and of the noise, 0-1. */
  readonly voice: number;
  readonly noise: number;
  readonly noiseCentre: number;
  readonly noiseWidth: number;
}

/** One pole pair: a resonance at `hertz`, `width` wide, gain 1 at 0 Hz (Klatt 1980). */
class Resonator {
  #one = 0;
  #two = 0;
  step(input: number, hertz: number, width: number): number {
    const c = -Math.exp((-2 * Math.PI * width) / soundRate);
    const b = 2 * Math.exp((-Math.PI * width) / soundRate) * Math.cos((2 * Math.PI * hertz) / soundRate);
    const output = (1 - b - c) * input + b * this.#one + c * this.#two;
    this.#two = this.#one;
    this.#one = output;
    return output;
  }
}

type Said = Omit<Piece, "formants"> & { readonly formants?: readonly number[] };

const silent = { voice: 0, noise: 0, noiseCentre: 2000, noiseWidth: 1000 };

function oneOf<T>(list: readonly T[], random: () => number): T {
  const chosen = list[Math.floor(random() * list.length)];
  if (chosen === undefined) throw new RangeError("nothing to choose from");
  return chosen;
}

/** A syllable: perhaps a consonant, and a vowel. */
function syllable(random: () => number): Said[] {
  const said: Said[] = [];
  const kind = random();
  if (kind < 0.3) {
    const { formants, loudness } = oneOf(voicedConsonants, random);
    said.push({ ...silent, seconds: 0.05 + 0.03 * random(), formants, voice: loudness });
  } else if (kind < 0.6) {
    const { centre: noiseCentre, width: noiseWidth, loudness: noise } = oneOf(fricatives, random);
    said.push({ ...silent, seconds: 0.06 + 0.06 * random(), noise, noiseCentre, noiseWidth });
  } else if (kind < 0.85) {
    const burst = { noise: 0.7, noiseCentre: 1200 + 2000 * random(), noiseWidth: 900 };
    said.push({ ...silent, seconds: 0.04 + 0.03 * random() }, { ...silent, seconds: 0.015, ...burst });
  }
  const formants = oneOf(vowels, random);
  said.push({ ...silent, seconds: 0.09 + 0.11 * random(), formants, voice: 0.8 + 0.2 * random() });
  return said;
}

/** A plan of syllables in phrases, with pauses: some two thirds of the time is speech. */
function plan(seconds: number, random: () => number): (Piece & { readonly phrase: number })[] {
  const pieces: (Piece & { readonly phrase: number })[] = [];
  let formants: readonly number[] = vowels[5];
  let left = seconds;
  for (let phrase = 0; left > 0; phrase++) {
    const syllables = Array.from({ length: 4 + Math.floor(random() * 6) }, () => syllable(random));
    for (const said of [...syllables.flat(), { ...silent, seconds: 0.25 + 0.45 * random() } as Said]) {
      formants = said.formants ?? formants;
      pieces.push({ ...said, formants, phrase });
      left -= said.seconds;
    }
  }
  return pieces;
}

/** Root mean square of the loud parts of what `speech` makes: some -20 dB of full scale. */
const speechLevel = 2600;

/**
 * Speech-like sound, `seconds` long at 8 kHz: glottal pulses with a falling, accented pitch through gliding formants,
 * fricatives, plosives with their closures, pauses between phrases, a room's faint noise. Another seed is another
 * speaker saying something else; the pitch lies between 95 and 220 Hz.
 */
export function speech(seconds: number, seed = 1): Int16Array {
  const random = seededFraction(seed * 7919);
  const noise = (): number => random() + random() + random() - 1.5;
  const pitchOf = 95 + 105 * random();
  const tract = 0.92 + 0.16 * random();
  const length = Math.round(seconds * soundRate);
  const out = new Float64Array(length);
  const cascade = [new Resonator(), new Resonator(), new Resonator()];
  const hiss = new Resonator();
  const glide = 1 - Math.exp(-1 / (0.012 * soundRate));
  const now = { f1: 500, f2: 1500, f3: 2500, voice: 0, noise: 0, pitch: pitchOf };
  let phase = 0;
  let at = 0;
  let phraseStart = 0;
  let phrase = -1;
  let before = 0;
  for (const piece of plan(seconds, random)) {
    if (piece.phrase !== phrase) {
      phrase = piece.phrase;
      phraseStart = at;
    }
    const accent = 1 + 0.16 * (random() - 0.4);
    const end = Math.min(length, at + Math.round(piece.seconds * soundRate));
    for (; at < end; at++) {
      const target = pitchOf * accent * Math.max(0.78, 1.15 - (0.15 * (at - phraseStart)) / soundRate);
      now.pitch += (target - now.pitch) * glide * 0.3;
      now.f1 += ((piece.formants[0] ?? 500) * tract - now.f1) * glide;
      now.f2 += ((piece.formants[1] ?? 1500) * tract - now.f2) * glide;
      now.f3 += (Math.min(3600, (piece.formants[2] ?? 2500) * tract) - now.f3) * glide;
      now.voice += (piece.voice - now.voice) * glide;
      now.noise += (piece.noise - now.noise) * glide * 2;
      phase += (now.pitch * (1 + 0.006 * noise())) / soundRate;
      if (phase >= 1) phase -= 1;
      // Rosenberg's pulse: opens in 40 % of the period, closes in 16 %.
      const flow =
        phase < 0.4
          ? 0.5 * (1 - Math.cos((Math.PI * phase) / 0.4))
          : phase < 0.56
            ? Math.cos((Math.PI * (phase - 0.4)) / 0.32)
            : 0;
      const pulse = flow - before;
      before = flow;
      const source = now.voice * (pulse * 4 + 0.02 * noise());
      const [one, two, three] = cascade;
      const throat =
        three?.step(two?.step(one?.step(source, now.f1, 70) ?? 0, now.f2, 100) ?? 0, now.f3, 150) ?? 0;
      const rustle = hiss.step(now.noise * noise(), piece.noiseCentre, piece.noiseWidth);
      out[at] = throat + 0.35 * rustle + 0.0004 * noise();
    }
  }
  return levelled(out);
}

function levelled(sound: Float64Array): Int16Array {
  const energies: number[] = [];
  for (let start = 0; start + 160 <= sound.length; start += 160)
    energies.push(sound.subarray(start, start + 160).reduce((sum, value) => sum + value * value, 0) / 160);
  const loud = [...energies].sort((a, b) => b - a).slice(0, Math.ceil(energies.length / 2));
  const level = Math.sqrt(loud.reduce((sum, energy) => sum + energy, 0) / Math.max(1, loud.length));
  const peak = sound.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
  const gain = Math.min(speechLevel / level, 29_000 / peak);
  return Int16Array.from(sound, (value) => Math.round(value * gain));
}
