import type { OpusRate } from "../codec/opus-sink.ts";
import { fecSamples, opusClockRate, opusSamples, type OpusSource } from "../codec/opus.ts";
import type { RtpHeader } from "../rtp/packet.ts";
import { positionRate } from "../rtp/send-line.ts";
import { frameSamples } from "./frame-sink.ts";
import type { Outbound } from "./outbound.ts";
import { covered, type AudioTarget, type CoverCounts, type SourceReader } from "./source-reader.ts";

/** What remains of an Opus frame in DTX (RFC 7587 3.1.3): the table of contents and at most a count. */
const longestDtxPacket = 2;

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
