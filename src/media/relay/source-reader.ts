import type { RtpHeader } from "../rtp/packet.ts";
import type { Outbound } from "./outbound.ts";

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

const counts: CoverCounts = { framesConcealed: 0, framesRecovered: 0 };

/** Counts of a loss, in an object that the next call uses again. */
export function covered(concealed: number, recovered: number): CoverCounts {
  counts.framesConcealed = concealed;
  counts.framesRecovered = recovered;
  return counts;
}
