import { compression, silenceCode, type Law } from "../codec/g711.ts";
import { noGain, type Gain } from "../codec/gain.ts";
import { fecOnPercent, type OpusRate, type OpusSink } from "../codec/opus-sink.ts";
import { maxRtpLength, rtpHeaderLength } from "../rtp/packet.ts";

/** Samples of 20 ms at 8 kHz: what we send in one packet unless the far side asks for another packet time. */
export const frameSamples = 160;
/** Samples of the longest packet we send, 60 ms at 8 kHz. */
const longestPacket = 480;

/** Takes a whole packet of `samples` (8 kHz) whose payload stands behind room for the header. */
export type EmitFrame = (packet: Buffer, length: number, samples: number, now: number) => void;

/**
 * Collects audio into packets of one codec and emits each as soon as it is full. Samples are counted at 8 kHz but for
 * those of `putPcm`, which come at the sink's own rate.
 */
export interface FrameSink {
  /** Samples a second that `putPcm` takes. */
  readonly rate: OpusRate;
  /** Samples collected of the packet under way. */
  readonly held: number;
  /** `gain` is in what `law` is turned into. */
  putCodes(packet: Buffer, offset: number, count: number, law: Law, now: number): void;
  putPcm(pcm: Int16Array, count: number, now: number): void;
  putSilence(count: number, now: number): void;
  /** Ends the packet under way: the 20 ms begun are filled with silence, and it goes out as long as it then is. */
  flush(now: number): void;
  /** Samples of each packet from now on; Opus keeps its 20 ms. What is held and already long enough goes out. */
  setPacketSamples(samples: number, now: number): void;
  /** Loss the far end reported, percent. */
  setLoss(percent: number): void;
  /** Of an Opus encoder, 0-10; nothing to others. */
  setComplexity(complexity: number): void;
  /** Emits nothing more and frees the codec. */
  close(): void;
}

/** Samples of silence that end a packet under way which is to have `size`. */
export function missingOf(held: number, size: number): number {
  return Math.min(size, Math.ceil(held / frameSamples) * frameSamples) - held;
}

/** Packets of G.711: codes are copied, through a table where they change, straight into the packet. */
export class G711FrameSink implements FrameSink {
  readonly rate = 8000;
  held = 0;
  #size: number;
  readonly #packet = Buffer.alloc(rtpHeaderLength + longestPacket);
  readonly #law: Law;
  readonly #emit: EmitFrame;
  readonly #gain: Gain;

  constructor(law: Law, emit: EmitFrame, size = frameSamples, gain = noGain) {
    this.#law = law;
    this.#emit = emit;
    this.#size = size;
    this.#gain = gain;
  }

  putCodes(packet: Buffer, offset: number, count: number, law: Law, now: number): void {
    const target = this.#packet;
    const table = this.#gain.codes[law][this.#law];
    // Straight through nothing is changed, and copying is several times quicker than looking up the same code.
    const asTheyAre = law === this.#law && this.#gain === noGain;
    for (let from = offset, left = count; left > 0;) {
      const part = Math.min(left, this.#size - this.held);
      const at = rtpHeaderLength + this.held;
      if (asTheyAre) packet.copy(target, at, from, from + part);
      else
        for (let index = 0; index < part; index++) target[at + index] = table[packet[from + index] ?? 0] ?? 0;
      from += part;
      left -= part;
      this.held += part;
      if (this.held === this.#size) this.#send(now);
    }
  }

  putPcm(pcm: Int16Array, count: number, now: number): void {
    const { table, shift } = compression[this.#law];
    const target = this.#packet;
    for (let from = 0; from < count;) {
      const part = Math.min(count - from, this.#size - this.held);
      const at = rtpHeaderLength + this.held;
      for (let index = 0; index < part; index++)
        target[at + index] = table[((pcm[from + index] ?? 0) & 0xffff) >>> shift] ?? 0;
      from += part;
      this.held += part;
      if (this.held === this.#size) this.#send(now);
    }
  }

  putSilence(count: number, now: number): void {
    for (let left = count; left > 0;) {
      const part = Math.min(left, this.#size - this.held);
      const at = rtpHeaderLength + this.held;
      this.#packet.fill(silenceCode[this.#law], at, at + part);
      this.held += part;
      left -= part;
      if (this.held === this.#size) this.#send(now);
    }
  }

  flush(now: number): void {
    if (this.held === 0) return;
    this.putSilence(missingOf(this.held, this.#size), now);
    if (this.held > 0) this.#send(now);
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
    this.held = 0;
    this.#emit(this.#packet, rtpHeaderLength + samples, samples, now);
  }
}

/** Frames of Opus, 20 ms each. `wanted` says whether a full frame would be sent at all: encoding is the dearest step. */
export class OpusFrameSink implements FrameSink {
  readonly rate: OpusRate;
  readonly #scale: 1 | 2;
  #filled = 0;
  readonly #frame: Int16Array;
  readonly #packet = Buffer.alloc(maxRtpLength);
  readonly #encoder: OpusSink;
  readonly #emit: EmitFrame;
  readonly #wanted: () => boolean;
  readonly #grantFec: () => boolean;
  readonly #gain: Gain;

  /** `rate` as `encoder` was made. `grantFec`: whether it may begin with FEC. */
  constructor(
    encoder: OpusSink,
    rate: OpusRate,
    emit: EmitFrame,
    wanted: () => boolean,
    grantFec: () => boolean,
    gain = noGain,
  ) {
    this.#encoder = encoder;
    this.rate = rate;
    this.#scale = rate === 8000 ? 1 : 2;
    this.#frame = new Int16Array(frameSamples * this.#scale);
    this.#emit = emit;
    this.#wanted = wanted;
    this.#grantFec = grantFec;
    this.#gain = gain;
  }

  get held(): number {
    return this.#filled / this.#scale;
  }

  /** Only at 8 kHz: G.711 is never read toward a sink of 16 kHz. */
  putCodes(packet: Buffer, offset: number, count: number, law: Law, now: number): void {
    const table = this.#gain.samples[law];
    const frame = this.#frame;
    for (let from = offset, left = count; left > 0;) {
      const at = this.#filled;
      const part = Math.min(left, frame.length - at);
      for (let index = 0; index < part; index++) frame[at + index] = table[packet[from + index] ?? 0] ?? 0;
      from += part;
      left -= part;
      this.#filled += part;
      if (this.#filled === frame.length) this.#full(now);
    }
  }

  putPcm(pcm: Int16Array, count: number, now: number): void {
    const frame = this.#frame;
    for (let from = 0; from < count;) {
      const at = this.#filled;
      const part = Math.min(count - from, frame.length - at);
      for (let index = 0; index < part; index++) frame[at + index] = pcm[from + index] ?? 0;
      from += part;
      this.#filled += part;
      if (this.#filled === frame.length) this.#full(now);
    }
  }

  putSilence(count: number, now: number): void {
    const frame = this.#frame;
    for (let left = count * this.#scale; left > 0;) {
      const part = Math.min(left, frame.length - this.#filled);
      frame.fill(0, this.#filled, this.#filled + part);
      left -= part;
      this.#filled += part;
      if (this.#filled === frame.length) this.#full(now);
    }
  }

  flush(now: number): void {
    if (this.#filled > 0) this.putSilence(frameSamples - this.held, now);
  }

  setPacketSamples(): void {}

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
    this.#filled = 0;
    if (!this.#wanted()) {
      this.#emit(this.#packet, rtpHeaderLength, frameSamples, now);
      return;
    }
    const payload = this.#encoder.encode(this.#frame);
    this.#packet.set(payload, rtpHeaderLength);
    this.#emit(this.#packet, rtpHeaderLength + payload.length, frameSamples, now);
  }
}
