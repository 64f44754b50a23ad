import { G711Concealer } from "../codec/conceal.ts";
import type { Law } from "../codec/g711.ts";
import { PcmConcealer } from "../codec/conceal-pcm.ts";
import { G722Decoder } from "../codec/g722.ts";
import type { OpusRate } from "../codec/opus-sink.ts";
import { fecSamples, opusClockRate, opusSamples, type OpusSource } from "../codec/opus.ts";
import type { Payload } from "../contract.ts";
import { positionRate } from "../rtp/send-line.ts";
import type { RtpHeader } from "../rtp/packet.ts";
import { frameSamples } from "./frame-sink.ts";
import type { Outbound } from "./outbound.ts";

/** Longest packet of G.711 and G.722 taken, octets: 180 ms; longer ones are no telephone's. */
const longestPacket = 1440;

/** Frames of audio made up or recovered on the way to the other side. */
export interface CoverCounts {
  framesConcealed: number;
  framesRecovered: number;
}

/** Where a reader puts audio: the line toward the other side, or what stands before it. */
export type AudioTarget = Pick<Outbound, "putCodes" | "putPcm" | "pass">;

/** Reads packets of one codec and puts their audio on the line toward the other side. */
export interface SourceReader {
  /** RTP clock ticks per sample at 8 kHz. */
  readonly ticksPerSample: number;
  /** Whether a frame may be taken out of what it reads or put in: not of coded audio that passes as it is. */
  readonly cuttable: boolean;
  /** Samples at 8 kHz the packet holds; 0 = malformed. */
  samples(packet: Uint8Array, header: RtpHeader): number;
  /** False when the payload turned out corrupt: the line stands where it stood. */
  read(packet: Buffer, header: RtpHeader, samples: number, out: AudioTarget, now: number): boolean;
  /** Covers `samples` lost just before the packet at hand, `packets` of them. */
  cover(
    samples: number,
    packets: number,
    next: Buffer,
    header: RtpHeader,
    out: Outbound,
    now: number,
  ): CoverCounts;
  /** Samples at 8 kHz just before the packet that it carries itself (in-band FEC); 0 = none. */
  recoverable(packet: Buffer, header: RtpHeader): number;
  /** Whether the packet says that the source falls silent for now (DTX) and leaves the noise to us. */
  fallsSilent(header: RtpHeader): boolean;
  /** Puts `samples`, a multiple of 20, at most 160, of how what was read would go on; in DTX the source's noise. */
  goOn(samples: number, out: AudioTarget, now: number): void;
  close(): void;
}

/** What remains of an Opus frame in DTX (RFC 7587 3.1.3): the table of contents and at most a count. */
const longestDtxPacket = 2;

const counts: CoverCounts = { framesConcealed: 0, framesRecovered: 0 };

function covered(concealed: number, recovered: number): CoverCounts {
  counts.framesConcealed = concealed;
  counts.framesRecovered = recovered;
  return counts;
}

/** G.711 to anything: codes go to the sink as they are, losses are covered by the waveform before them. */
export class LawReader implements SourceReader {
  readonly ticksPerSample = 1;
  readonly cuttable = true;
  readonly #law: Law;
  readonly #otherLaw: Law;
  /** Payload type with which `#otherLaw` comes; -1: with none. */
  readonly #otherType: number;
  #concealer: G711Concealer;
  #concealed: Law;
  readonly #made = new Int16Array(frameSamples);

  /** `other`: the law that may come in place of `law`, told by its number. */
  constructor(law: Law, other?: Payload["otherLaw"]) {
    this.#law = law;
    this.#otherLaw = other?.codec ?? law;
    this.#otherType = other?.payloadType ?? -1;
    this.#concealed = law;
    this.#concealer = new G711Concealer(law);
  }

  samples(_packet: Uint8Array, header: RtpHeader): number {
    return header.payloadLength <= longestPacket ? header.payloadLength : 0;
  }

  read(packet: Buffer, header: RtpHeader, samples: number, out: AudioTarget, now: number): boolean {
    const law = header.payloadType === this.#otherType ? this.#otherLaw : this.#law;
    if (law !== this.#concealed) {
      this.#concealed = law;
      this.#concealer = new G711Concealer(law);
    }
    this.#concealer.heard(packet, header.payloadOffset, samples);
    out.putCodes(packet, header.payloadOffset, samples, law, now);
    return true;
  }

  cover(
    samples: number,
    packets: number,
    _next: Buffer,
    _header: RtpHeader,
    out: Outbound,
    now: number,
  ): CoverCounts {
    for (let left = samples; left > 0; left -= frameSamples) {
      const part = Math.min(left, frameSamples);
      this.#concealer.conceal(this.#made, part);
      out.putPcm(this.#made, part, now);
    }
    return covered(packets, 0);
  }

  recoverable(): number {
    return 0;
  }

  fallsSilent(): boolean {
    return false;
  }

  goOn(samples: number, out: AudioTarget, now: number): void {
    this.#concealer.conceal(this.#made, samples);
    out.putPcm(this.#made, samples, now);
  }

  close(): void {}
}

/** G.722 to Opus at 16 kHz, or to anything at 8 kHz by its lower band alone. */
export class G722Reader implements SourceReader {
  readonly ticksPerSample = 1;
  readonly cuttable = true;
  /** PCM samples for each at 8 kHz. */
  readonly #scale: 1 | 2;
  readonly #decoder = new G722Decoder();
  readonly #concealer: PcmConcealer;
  readonly #pcm = new Int16Array(2 * frameSamples);

  constructor(rate: OpusRate) {
    this.#scale = rate === 8000 ? 1 : 2;
    this.#concealer = new PcmConcealer(rate);
  }

  samples(_packet: Uint8Array, header: RtpHeader): number {
    return header.payloadLength <= longestPacket ? header.payloadLength : 0;
  }

  read(packet: Buffer, header: RtpHeader, samples: number, out: AudioTarget, now: number): boolean {
    for (let done = 0; done < samples; done += frameSamples) {
      const part = Math.min(samples - done, frameSamples);
      const offset = header.payloadOffset + done;
      if (this.#scale === 2) this.#decoder.decode(packet, offset, part, this.#pcm);
      else this.#decoder.decodeNarrow(packet, offset, part, this.#pcm);
      this.#concealer.heard(this.#pcm, part * this.#scale);
      out.putPcm(this.#pcm, part * this.#scale, now);
    }
    return true;
  }

  cover(
    samples: number,
    packets: number,
    _next: Buffer,
    _header: RtpHeader,
    out: Outbound,
    now: number,
  ): CoverCounts {
    for (let left = samples; left > 0; left -= frameSamples) {
      const part = Math.min(left, frameSamples) * this.#scale;
      this.#concealer.conceal(this.#pcm, part);
      out.putPcm(this.#pcm, part, now);
    }
    return covered(packets, 0);
  }

  recoverable(): number {
    return 0;
  }

  fallsSilent(): boolean {
    return false;
  }

  goOn(samples: number, out: AudioTarget, now: number): void {
    this.#concealer.conceal(this.#pcm, samples * this.#scale);
    out.putPcm(this.#pcm, samples * this.#scale, now);
  }

  close(): void {}
}

/** Opus to G.711 or G.722. */
export class OpusReader implements SourceReader {
  readonly ticksPerSample = opusClockRate / positionRate;
  readonly cuttable = true;
  readonly #decoder: OpusSource;
  /** PCM samples for each at 8 kHz. */
  readonly #scale: 1 | 2;

  /** `rate`: what `decoder` was made with. */
  constructor(decoder: OpusSource, rate: OpusRate = 8000) {
    this.#decoder = decoder;
    this.#scale = rate === 8000 ? 1 : 2;
  }

  samples(packet: Uint8Array, header: RtpHeader): number {
    return opusSamples(packet, header.payloadOffset, header.payloadLength);
  }

  read(packet: Buffer, header: RtpHeader, _samples: number, out: AudioTarget, now: number): boolean {
    const pcm = this.#decoder.decode(payloadOf(packet, header));
    if (!pcm) return false;
    out.putPcm(pcm, pcm.length, now);
    return true;
  }

  cover(
    samples: number,
    packets: number,
    next: Buffer,
    header: RtpHeader,
    out: Outbound,
    now: number,
  ): CoverCounts {
    const frame = this.recoverable(next, header);
    const recoverable = frame > 0 && frame <= samples;
    // libopus makes up multiples of 2.5 ms; a remainder, which no honest timestamps leave, stays a gap.
    let left = Math.floor((recoverable ? samples - frame : samples) / 20) * 20;
    while (left > 0) {
      const part = Math.min(left, frameSamples);
      this.#put(this.#decoder.conceal(part * this.#scale), out, now);
      left -= part;
    }
    if (recoverable) this.#put(this.#decoder.recover(payloadOf(next, header), frame * this.#scale), out, now);
    return covered(recoverable ? packets - 1 : packets, recoverable ? 1 : 0);
  }

  recoverable(packet: Buffer, header: RtpHeader): number {
    return fecSamples(packet, header.payloadOffset, header.payloadLength);
  }

  fallsSilent(header: RtpHeader): boolean {
    return header.payloadLength <= longestDtxPacket;
  }

  goOn(samples: number, out: AudioTarget, now: number): void {
    this.#put(this.#decoder.conceal(samples * this.#scale), out, now);
  }

  close(): void {
    this.#decoder.free();
  }

  #put(pcm: Int16Array | undefined, out: AudioTarget, now: number): void {
    if (pcm) out.putPcm(pcm, pcm.length, now);
  }
}

/** Opus to Opus: packets pass as they are; a loss shows as a gap of the sequence numbers, for the far decoder. */
export class PassReader implements SourceReader {
  readonly ticksPerSample = opusClockRate / positionRate;
  readonly cuttable = false;

  samples(packet: Uint8Array, header: RtpHeader): number {
    return opusSamples(packet, header.payloadOffset, header.payloadLength);
  }

  read(packet: Buffer, header: RtpHeader, samples: number, out: AudioTarget, now: number): boolean {
    out.pass(packet, header.payloadOffset, header.payloadLength, samples, now);
    return true;
  }

  cover(
    samples: number,
    packets: number,
    _next: Buffer,
    _header: RtpHeader,
    out: Outbound,
    now: number,
  ): CoverCounts {
    out.line.skip(packets);
    out.skipTo(out.position + samples, now);
    return covered(0, 0);
  }

  recoverable(): number {
    return 0;
  }

  fallsSilent(header: RtpHeader): boolean {
    return header.payloadLength <= longestDtxPacket;
  }

  /** The far decoder makes the noise. */
  goOn(): void {}

  close(): void {}
}

function payloadOf(packet: Buffer, header: RtpHeader): Buffer {
  return packet.subarray(header.payloadOffset, header.payloadOffset + header.payloadLength);
}
