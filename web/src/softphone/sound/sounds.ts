import { GESTURES, Output } from "./output.ts";
import { BEEP, CHIME, PATTERNS, RING_ONCE, type Pattern } from "./patterns.ts";

/**
 * Tones the page makes itself. `ring`: a call comes in; `waiting`: one more comes in; `ringback`: the far end rings and
 * sends no sound of its own.
 */
export type Tone = "ring" | "waiting" | "ringback" | "none";

const FADE_S = 0.015;
const ROUNDS_AHEAD = 60;

/** Where a tone comes out: the ring on its own device, all else where the call is heard. */
type Way = "ring" | "speaker";

interface Playing {
  readonly way: Way;
  stop(): void;
}

/** Plays the page's own tones by WebAudio: no files to load, nothing to cache. Idle it takes no processor time. */
export class Sounds {
  readonly #outputs: Readonly<Record<Way, Output>>;
  #context: AudioContext | undefined;
  readonly #ways = new Map<Way, MediaStreamAudioDestinationNode>();
  readonly #playing = new Set<Playing>();
  #tone: { readonly tone: Tone; readonly playing: Playing } | undefined;

  /** @param onBlocked the browser lets the page make no sound before somebody clicks in it */
  constructor(onBlocked: () => void) {
    const output = (): Output => new Output(new Audio(), onBlocked);
    this.#outputs = { ring: output(), speaker: output() };
    // A context that was started without a person's gesture waits for one.
    for (const event of GESTURES)
      document.addEventListener(event, () => this.#playing.size > 0 && this.#wake());
  }

  /** Device and volume of one way out. @param volume 0 to 1 */
  set(way: Way, deviceId: string, volume: number): void {
    this.#outputs[way].use(deviceId);
    this.#outputs[way].volume = volume;
  }

  play(tone: Tone): void {
    if ((this.#tone?.tone ?? "none") === tone) return;
    this.#tone?.playing.stop();
    this.#tone = undefined;
    if (tone === "none") return;
    this.#tone = { tone, playing: this.#start(tone === "ring" ? "ring" : "speaker", PATTERNS[tone]) };
  }

  /** One short tone, whatever else plays. */
  beep(): void {
    this.#once("speaker", BEEP);
  }

  /** Lets the person hear where it comes out: a few notes, or one round of the ring. */
  test(way: Way): void {
    if (way === "speaker") this.#once(way, CHIME);
    else if (this.#tone?.tone !== "ring") this.#once(way, RING_ONCE);
  }

  #once(way: Way, pattern: Pattern): void {
    const playing = this.#start(way, pattern, 1);
    setTimeout(() => playing.stop(), pattern.period * 1000);
  }

  #wake(): void {
    // Blocked: it starts at the next click.
    this.#context?.resume().catch(() => undefined);
  }

  #start(way: Way, pattern: Pattern, rounds = ROUNDS_AHEAD): Playing {
    const context = (this.#context ??= new AudioContext());
    let destination = this.#ways.get(way);
    if (destination === undefined) {
      destination = context.createMediaStreamDestination();
      this.#ways.set(way, destination);
    }
    const silence = schedule(context, destination, pattern, rounds);
    const playing: Playing = {
      way,
      stop: () => {
        if (!this.#playing.delete(playing)) return;
        silence();
        this.#rest();
      },
    };
    this.#playing.add(playing);
    this.#wake();
    this.#outputs[way].play(destination.stream);
    return playing;
  }

  #rest(): void {
    const busy = new Set([...this.#playing].map(({ way }) => way));
    for (const way of this.#ways.keys()) if (!busy.has(way)) this.#outputs[way].play(undefined);
    if (busy.size === 0) this.#context?.suspend().catch(() => undefined);
  }
}

/** Schedules the whole pattern on the audio clock, so that a throttled background tab keeps ringing in time. */
function schedule(
  context: AudioContext,
  destination: AudioNode,
  pattern: Pattern,
  rounds: number,
): () => void {
  const volume = context.createGain();
  volume.gain.value = 0;
  volume.connect(destination);
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
