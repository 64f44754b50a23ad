import { Application, createEncoder, Signal, type OpusEncoderHandle } from "libopus-wasm";

/** Opus runs at this API rate where nothing else is asked for: no resampler is needed between it and G.711. */
const opusRate = 8000;
/** Rates at which frames may come, Hz. */
export type OpusRate = 8000 | 16000;

/**
 * How we encode while nothing is lost: CELT alone (`RestrictedLowDelay`). At 48 kbit/s it costs under half of SILK at
 * 24, is 17 dB nearer to what came in, and looks ahead 2.5 ms instead of 6.5 (docs/decisions/0006).
 */
const plain = { application: Application.RestrictedLowDelay, bitrate: 48_000, complexity: 0 } as const;
/** While the browser reports loss: SILK, the only one of the two that has in-band FEC. */
const resilient = { application: Application.Voip, bitrate: 24_000, fec: true } as const;

/** In-band FEC of narrowband at this bitrate recovers nothing below this loss hint (media-findings, FEC trap). */
const leastFecHint = 20;
/** Loss the browser reports from which FEC is worth its cost, and below which it is taken off again, percent. */
export const fecOnPercent = 3;
const fecOffPercent = 1;

/** Encoder of one direction of one call: 20 ms frames. */
export class OpusSink {
  readonly #sampleRate: OpusRate;
  #encoder: OpusEncoderHandle;
  #fec = false;
  #freed = false;
  #complexity = 1;
  #lossHint = leastFecHint;

  private constructor(encoder: OpusEncoderHandle, sampleRate: OpusRate) {
    this.#encoder = encoder;
    this.#sampleRate = sampleRate;
  }

  /** `sampleRate`: of the frames, Hz. */
  static async create(sampleRate: OpusRate = opusRate): Promise<OpusSink> {
    return new OpusSink(
      await createEncoder({ ...plain, sampleRate, channels: 1, signal: Signal.Voice }),
      sampleRate,
    );
  }

  get fec(): boolean {
    return this.#fec;
  }

  /** Encodes one frame of 20 ms. */
  encode(pcm: Int16Array): Uint8Array {
    return this.#encoder.encode(pcm);
  }

  /** Complexity of the encoding with FEC, 0-10; the plain one gains nothing by more than its 0 (measured). */
  setComplexity(complexity: number): void {
    this.#complexity = complexity;
    if (this.#fec) this.#encoder.setComplexity(complexity);
  }

  /**
   * Takes the loss the far end reported (percent): FEC goes on and off with it, with hysteresis. Resolves when the
   * encoder for it is in place, before the next packet is read. Where one cannot be made all stays as it was.
   */
  async setLoss(percent: number): Promise<void> {
    const wanted = this.#fec ? percent >= fecOffPercent : percent >= fecOnPercent;
    this.#lossHint = Math.min(100, Math.max(leastFecHint, Math.round(percent)));
    if (wanted !== this.#fec) {
      this.#fec = wanted;
      await this.#replace();
    } else if (wanted && this.#encoder.application === resilient.application)
      this.#encoder.setPacketLossPercent(this.#lossHint);
  }

  free(): void {
    this.#freed = true;
    this.#encoder.free();
  }

  async #replace(): Promise<void> {
    const fec = this.#fec;
    const encoder = await createEncoder({
      ...(fec ? { ...resilient, complexity: this.#complexity, packetLossPercent: this.#lossHint } : plain),
      sampleRate: this.#sampleRate,
      channels: 1,
      signal: Signal.Voice,
    }).catch(() => undefined);
    if (!encoder) {
      this.#fec = this.#encoder.application === resilient.application;
      return;
    }
    if (this.#freed || fec !== this.#fec) return encoder.free();
    // Nothing is encoded ahead to warm it up: the far decoder starts SILK afresh too, and both must agree (measured).
    this.#encoder.free();
    this.#encoder = encoder;
    // May have changed meanwhile.
    if (fec) encoder.setComplexity(this.#complexity);
  }
}
