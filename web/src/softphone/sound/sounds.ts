/**
 * Tones the page makes itself. `ring`: a call comes in; `waiting`: one more comes in; `ringback`: the far end rings and
 * sends no sound of its own.
 */
export type Tone = "ring" | "waiting" | "ringback" | "none";

interface Pattern {
  readonly frequencies: readonly number[];
  readonly gain: number;
  /** Seconds of sound in each round of `period` seconds. */
  readonly bursts: readonly (readonly [from: number, to: number])[];
  readonly period: number;
}

const PATTERNS: Readonly<Record<Exclude<Tone, "none">, Pattern>> = {
  ring: {
    frequencies: [523.25, 659.25],
    gain: 0.22,
    bursts: [
      [0, 0.4],
      [0.6, 1],
    ],
    period: 3,
  },
  waiting: { frequencies: [425], gain: 0.05, bursts: [[0, 0.2]], period: 5 },
  // ITU-T E.180 supplement 2: 425 Hz, one second in five.
  ringback: { frequencies: [425], gain: 0.07, bursts: [[0, 1]], period: 5 },
};

const BEEP: Pattern = { frequencies: [1000], gain: 0.1, bursts: [[0, 0.2]], period: 1 };

const FADE_S = 0.015;
const ROUNDS_AHEAD = 60;
const BEEP_MS = 500;

/** Plays the page's own tones by WebAudio: no files to load, nothing to cache. */
export class Sounds {
  #context: AudioContext | undefined;
  #playing: { readonly tone: Tone; stop(): void } | undefined;

  /** To be called from a click or key press: browsers start sound only then. */
  unlock(): void {
    this.#context ??= new AudioContext();
    // A context that may not start yet stays silent; the next press tries again.
    this.#context.resume().catch(() => undefined);
  }

  play(tone: Tone): void {
    if (this.#playing?.tone === tone) return;
    this.#playing?.stop();
    this.#playing = undefined;
    if (tone === "none" || this.#context === undefined) return;
    this.#playing = { tone, stop: start(this.#context, PATTERNS[tone]) };
  }

  /** One short tone, whatever else plays. */
  beep(): void {
    if (this.#context === undefined) return;
    setTimeout(start(this.#context, BEEP, 1), BEEP_MS);
  }
}

/** Schedules the whole pattern on the audio clock, so that a throttled background tab keeps ringing in time. */
function start(context: AudioContext, pattern: Pattern, rounds = ROUNDS_AHEAD): () => void {
  const volume = context.createGain();
  volume.gain.value = 0;
  volume.connect(context.destination);
  const begin = context.currentTime + 0.02;
  for (let round = 0; round < rounds; round++) {
    for (const [from, to] of pattern.bursts) {
      const at = begin + round * pattern.period;
      volume.gain.setValueAtTime(0, at + from);
      volume.gain.linearRampToValueAtTime(pattern.gain, at + from + FADE_S);
      volume.gain.setValueAtTime(pattern.gain, at + to - FADE_S);
      volume.gain.linearRampToValueAtTime(0, at + to);
    }
  }
  const oscillators = pattern.frequencies.map((frequency) => {
    const oscillator = context.createOscillator();
    oscillator.frequency.value = frequency;
    oscillator.connect(volume);
    oscillator.start();
    return oscillator;
  });
  return () => {
    for (const oscillator of oscillators) oscillator.stop();
    volume.disconnect();
  };
}
