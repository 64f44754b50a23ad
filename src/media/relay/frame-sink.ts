import { compression, expansion, silenceCode, transcoding, type Law } from "../codec/g711.ts";
import { fecOnPercent, type OpusSink } from "../codec/opus-sink.ts";
import { maxRtpLength, rtpHeaderLength } from "../rtp/packet.ts";

/** Samples of the frames we send: 20 ms at 8 kHz, whatever the other side packs its packets with. */
export const frameSamples = 160;

/** Takes a whole packet whose payload stands behind room for the header. */
export type EmitFrame = (packet: Buffer, length: number, now: number) => void;

/** Collects audio at 8 kHz into 20 ms frames of one codec and emits each as soon as it is full. */
export interface FrameSink {
  /** Samples collected of the frame under way, 0-159. */
  readonly held: number;
  putCodes(packet: Buffer, offset: number, count: number, law: Law, now: number): void;
  putPcm(pcm: Int16Array, count: number, now: number): void;
  putSilence(count: number, now: number): void;
  /** Loss the far end reported, percent. */
  setLoss(percent: number): void;
  /** Of an Opus encoder, 0-10; nothing to others. */
  setComplexity(complexity: number): void;
  /** Emits nothing more and frees the codec. */
  close(): void;
}

/** Frames of G.711: codes are copied, through a table where the laws differ, straight into the packet. */
export class G711FrameSink implements FrameSink {
  held = 0;
  readonly #packet = Buffer.alloc(rtpHeaderLength + frameSamples);
  readonly #law: Law;
  readonly #emit: EmitFrame;

  constructor(law: Law, emit: EmitFrame) {
    this.#law = law;
    this.#emit = emit;
  }

  putCodes(packet: Buffer, offset: number, count: number, law: Law, now: number): void {
    const table = transcoding[law][this.#law];
    for (let from = offset, left = count; left > 0;) {
      const part = Math.min(left, frameSamples - this.held);
      const at = rtpHeaderLength + this.held;
      // Straight through nothing is changed, and copying is several times quicker than looking up the same code.
      if (law === this.#law) packet.copy(this.#packet, at, from, from + part);
      else
        for (let index = 0; index < part; index++)
          this.#packet[at + index] = table[packet[from + index] ?? 0] ?? 0;
      from += part;
      left -= part;
      this.held += part;
      if (this.held === frameSamples) this.#full(now);
    }
  }

  putPcm(pcm: Int16Array, count: number, now: number): void {
    const { table, shift } = compression[this.#law];
    const target = this.#packet;
    for (let index = 0; index < count; index++) {
      target[rtpHeaderLength + this.held] = table[((pcm[index] ?? 0) & 0xffff) >>> shift] ?? 0;
      if (++this.held === frameSamples) this.#full(now);
    }
  }

  putSilence(count: number, now: number): void {
    for (let left = count; left > 0;) {
      const part = Math.min(left, frameSamples - this.held);
      const at = rtpHeaderLength + this.held;
      this.#packet.fill(silenceCode[this.#law], at, at + part);
      this.held += part;
      left -= part;
      if (this.held === frameSamples) this.#full(now);
    }
  }

  setLoss(): void {}

  setComplexity(): void {}

  close(): void {}

  #full(now: number): void {
    this.held = 0;
    this.#emit(this.#packet, this.#packet.length, now);
  }
}

/** Frames of Opus. `wanted` says whether a full frame would be sent at all: encoding is the dearest step. */
export class OpusFrameSink implements FrameSink {
  held = 0;
  readonly #frame = new Int16Array(frameSamples);
  readonly #packet = Buffer.alloc(maxRtpLength);
  readonly #encoder: OpusSink;
  readonly #emit: EmitFrame;
  readonly #wanted: () => boolean;
  readonly #grantFec: () => boolean;

  constructor(encoder: OpusSink, emit: EmitFrame, wanted: () => boolean, grantFec: () => boolean) {
    this.#encoder = encoder;
    this.#emit = emit;
    this.#wanted = wanted;
    this.#grantFec = grantFec;
  }

  putCodes(packet: Buffer, offset: number, count: number, law: Law, now: number): void {
    const table = expansion[law];
    for (let index = offset; index < offset + count; index++) {
      this.#frame[this.held] = table[packet[index] ?? 0] ?? 0;
      if (++this.held === frameSamples) this.#full(now);
    }
  }

  putPcm(pcm: Int16Array, count: number, now: number): void {
    for (let index = 0; index < count; index++) {
      this.#frame[this.held] = pcm[index] ?? 0;
      if (++this.held === frameSamples) this.#full(now);
    }
  }

  putSilence(count: number, now: number): void {
    for (let index = 0; index < count; index++) {
      this.#frame[this.held] = 0;
      if (++this.held === frameSamples) this.#full(now);
    }
  }

  setLoss(percent: number): void {
    // What is not granted now is asked for again with the next report.
    if (percent >= fecOnPercent && !this.#encoder.fec && !this.#grantFec()) return;
    void this.#encoder.setLoss(percent);
  }

  setComplexity(complexity: number): void {
    this.#encoder.setComplexity(complexity);
  }

  close(): void {
    this.#encoder.free();
  }

  #full(now: number): void {
    this.held = 0;
    if (!this.#wanted()) {
      this.#emit(this.#packet, rtpHeaderLength, now);
      return;
    }
    const payload = this.#encoder.encode(this.#frame);
    this.#packet.set(payload, rtpHeaderLength);
    this.#emit(this.#packet, rtpHeaderLength + payload.length, now);
  }
}
