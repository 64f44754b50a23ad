import type { RtpHeader } from "../rtp/packet.ts";
import { frameSamples } from "./frame-sink.ts";
import type { Outbound } from "./outbound.ts";
import { covered, type AudioTarget, type CoverCounts, type SourceReader } from "./source-reader.ts";

/** Longest packet of G.711 and G.722 taken, octets: 180 ms; longer ones are no telephone's. */
const longestPacket = 1440;

/**
 * What readers of G.711 and G.722 have in common: an octet stands for each sample at 8 kHz, packets carry nothing of
 * those before them and know no DTX. What is missing is how the sound would go on.
 */
export abstract class OctetReader implements SourceReader {
  readonly ticksPerSample = 1;
  readonly cuttable = true;

  abstract read(packet: Buffer, header: RtpHeader, samples: number, out: AudioTarget, now: number): boolean;

  /** Any number of samples up to 160. */
  abstract goOn(samples: number, out: AudioTarget, now: number): void;

  samples(_packet: Uint8Array, header: RtpHeader): number {
    return header.payloadLength <= longestPacket ? header.payloadLength : 0;
  }

  cover(
    samples: number,
    packets: number,
    _next: Buffer,
    _header: RtpHeader,
    out: Outbound,
    now: number,
  ): CoverCounts {
    for (let left = samples; left > 0; left -= frameSamples)
      this.goOn(Math.min(left, frameSamples), out, now);
    return covered(packets, 0);
  }

  recoverable(): number {
    return 0;
  }

  fallsSilent(): boolean {
    return false;
  }

  close(): void {}
}
