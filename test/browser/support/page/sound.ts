import { fromBase64, toBase64 } from "./bytes.ts";
import type { Microphone, Sound } from "./contract.ts";

const SAMPLE_RATE = 48_000;

/** A microphone made of WebAudio nodes: what it sends is known to the sample, and no voice processing touches it. */
export class MadeMicrophone {
  readonly #context = new AudioContext({ sampleRate: SAMPLE_RATE });
  readonly #out = this.#context.createMediaStreamDestination();
  #oscillator: OscillatorNode | undefined;
  #device: MediaStream | undefined;

  constructor() {
    // Without any source a destination sends no packets at all; a microphone in a quiet room does.
    const quiet = this.#context.createConstantSource();
    quiet.offset.value = 0;
    quiet.connect(this.#out);
    quiet.start();
  }

  async set(microphone: Microphone): Promise<void> {
    this.#oscillator?.stop();
    this.#oscillator = undefined;
    for (const track of this.#device?.getTracks() ?? []) track.stop();
    this.#device = undefined;
    await this.#context.resume();
    if (microphone.kind === "device") {
      const processing = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
      this.#device = await navigator.mediaDevices.getUserMedia({ audio: processing });
    }
    if (microphone.kind !== "tone") return;
    const gain = this.#context.createGain();
    gain.gain.value = microphone.gain ?? 0.5;
    gain.connect(this.#out);
    this.#oscillator = this.#context.createOscillator();
    this.#oscillator.frequency.value = microphone.frequency;
    this.#oscillator.connect(gain);
    this.#oscillator.start();
  }

  stream(): MediaStream {
    return (this.#device ?? this.#out.stream).clone();
  }

  async play({ sampleRate, base64 }: Sound): Promise<void> {
    const samples = new Float32Array(fromBase64(base64).buffer);
    const buffer = this.#context.createBuffer(1, samples.length, sampleRate);
    buffer.copyToChannel(samples, 0);
    const source = this.#context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.#out);
    await new Promise<void>((resolve) => {
      source.addEventListener("ended", () => resolve());
      source.start();
    });
  }
}

interface Processor {
  readonly readable: ReadableStream<AudioData>;
}

/** Chromium's way to a track's samples; TypeScript's DOM does not know it. */
declare const MediaStreamTrackProcessor: new (options: { readonly track: MediaStreamTrack }) => Processor;

/** Records the sound of remote tracks, first channel, one track after the other. */
export class Recorder {
  #chunks: Float32Array[] = [];
  #sampleRate = SAMPLE_RATE;
  #recording = false;
  readonly #known = new WeakSet<MediaStreamTrack>();

  /** Begins to listen; what comes is kept while recording. */
  listen(track: MediaStreamTrack): void {
    // After a hold the same track is told of anew; two players of one track would be twice as loud.
    if (this.#known.has(track)) return;
    this.#known.add(track);
    // Chromium decodes a remote track only while something plays it.
    const player = new Audio();
    player.srcObject = new MediaStream([track]);
    player.play().catch(() => undefined);
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    this.#read(reader)
      .catch(() => undefined)
      .finally(() => {
        player.srcObject = null;
      });
  }

  start(): void {
    this.#chunks = [];
    this.#recording = true;
  }

  recorded(): Sound {
    const all = new Float32Array(this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return { sampleRate: this.#sampleRate, base64: toBase64(new Uint8Array(all.buffer)) };
  }

  async #read(reader: ReadableStreamDefaultReader<AudioData>): Promise<void> {
    for (;;) {
      const { value: data } = await reader.read();
      if (data === undefined) return;
      if (this.#recording) {
        const chunk = new Float32Array(data.numberOfFrames);
        data.copyTo(chunk, { planeIndex: 0, format: "f32-planar" });
        this.#sampleRate = data.sampleRate;
        this.#chunks.push(chunk);
      }
      data.close();
    }
  }
}
