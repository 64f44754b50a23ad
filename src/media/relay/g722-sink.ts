import type { Law } from "../codec/g711.ts";
import { G722Encoder, longestG722 } from "../codec/g722.ts";
import { noGain, type Gain } from "../codec/gain.ts";
import type { OpusRate } from "../codec/opus-sink.ts";
import { rtpHeaderLength } from "../rtp/packet.ts";
import { frameSamples, missingOf, type EmitFrame, type FrameSink } from "./frame-sink.ts";

/**
 * Packets of G.722. Coded when full, and only if `wanted`: what is not sent must not change the coder, whose state the
 * far decoder shares.
 */
export class G722FrameSink implements FrameSink {
  readonly rate: OpusRate;
  /** PCM samples for each at 8 kHz. */
  readonly #scale: 1 | 2;
  #size: number;
  #filled = 0;
  readonly #pcm = new Int16Array(2 * longestG722);
  readonly #packet = Buffer.alloc(rtpHeaderLength + longestG722);
  readonly #encoder = new G722Encoder();
  readonly #emit: EmitFrame;
  readonly #wanted: () => boolean;
  readonly #gain: Gain;

  constructor(rate: OpusRate, emit: EmitFrame, wanted: () => boolean, size = frameSamples, gain = noGain) {
    this.rate = rate;
    this.#scale = rate === 8000 ? 1 : 2;
    this.#emit = emit;
    this.#wanted = wanted;
    this.#size = size;
    this.#gain = gain;
  }

  get held(): number {
    return this.#filled / this.#scale;
  }

  /** Only at 8 kHz: G.711 is never read toward a sink of 16 kHz. */
  putCodes(packet: Buffer, offset: number, count: number, law: Law, now: number): void {
    const table = this.#gain.samples[law];
    for (let from = offset, left = count; left > 0;) {
      const part = Math.min(left, this.#size - this.#filled);
      for (let index = 0; index < part; index++)
        this.#pcm[this.#filled + index] = table[packet[from + index] ?? 0] ?? 0;
      from += part;
      left -= part;
      this.#filled += part;
      if (this.#filled === this.#size) this.#send(now);
    }
  }

  putPcm(pcm: Int16Array, count: number, now: number): void {
    for (let from = 0; from < count;) {
      const part = Math.min(count - from, this.#size * this.#scale - this.#filled);
      for (let index = 0; index < part; index++) this.#pcm[this.#filled + index] = pcm[from + index] ?? 0;
      from += part;
      this.#filled += part;
      if (this.held === this.#size) this.#send(now);
    }
  }

  putSilence(count: number, now: number): void {
    for (let left = count; left > 0;) {
      const part = Math.min(left, this.#size - this.held);
      this.#pcm.fill(0, this.#filled, this.#filled + part * this.#scale);
      this.#filled += part * this.#scale;
      left -= part;
      if (this.held === this.#size) this.#send(now);
    }
  }

  flush(now: number): void {
    if (this.#filled === 0) return;
    this.putSilence(missingOf(this.held, this.#size), now);
    if (this.#filled > 0) this.#send(now);
  }

  setPacketSamples(samples: number, now: number): void {
    this.#size = samples;
    if (this.held >= samples) this.#send(now);
  }

  setLoss(): void {}

  setComplexity(): void {}

  close(): void {}

  #send(now: number): void {
    const samples = this.held;
    this.#filled = 0;
    if (this.#wanted()) {
      if (this.#scale === 2) this.#encoder.encode(this.#pcm, samples, this.#packet, rtpHeaderLength);
      else this.#encoder.encodeNarrow(this.#pcm, samples, this.#packet, rtpHeaderLength);
    }
    this.#emit(this.#packet, rtpHeaderLength + samples, samples, now);
  }
}
