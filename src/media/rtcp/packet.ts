import { readUint16, readUint32 } from "../rtp/packet.ts";
import { readVoipMetrics, type VoipMetricsListener } from "./extended-report.ts";

/** RTCP packet types (RFC 3550 12.1, RFC 4585 6.1, RFC 3611 2). */
export const packetType = {
  sr: 200,
  rr: 201,
  sdes: 202,
  bye: 203,
  transportFeedback: 205,
  payloadFeedback: 206,
  xr: 207,
} as const;
export const reportBlockLength = 24;

/** Largest compound packet taken in, bytes, and how many packets it may hold: more is no honest sender's. */
export const maxRtcpLength = 1500;
const maxPacketsInCompound = 32;

/** One report block received about a line of ours (RFC 3550 6.4.1). */
export interface ReportBlock {
  ssrc: number;
  /** 0-255 of 256. */
  fractionLost: number;
  cumulativeLost: number;
  extendedHighestSequence: number;
  /** In units of the RTP clock of our line. */
  jitter: number;
  /** Middle 32 bits of the NTP time of our last sender report; 0 = none came. */
  lastReport: number;
  /** In 1/65536 s. */
  delaySinceLastReport: number;
}

/** What a received compound packet tells; called as it is read. */
export interface RtcpListener extends VoipMetricsListener {
  /** `ntpMiddle` = middle 32 bits of the sender's NTP time, to be given back in our report block. */
  onSenderReport(ssrc: number, ntpMiddle: number): void;
  /** From `reporter`, the SSRC that says it. The object is used again: take out what is needed. */
  onReportBlock(block: Readonly<ReportBlock>, reporter: number): void;
  onBye(ssrc: number): void;
  /** Transport or payload feedback (RFC 4585). */
  onFeedback(): void;
}

const block: ReportBlock = {
  ssrc: 0,
  fractionLost: 0,
  cumulativeLost: 0,
  extendedHighestSequence: 0,
  jitter: 0,
  lastReport: 0,
  delaySinceLastReport: 0,
};

/**
 * Reads a compound RTCP packet (RFC 3550 6.1; reduced-size packets of RFC 5506 are taken too). Its lengths
 * are checked as a whole first: false, and nothing told, when they do not fit (RFC 3550 A.2).
 */
export function readRtcp(packet: Uint8Array, length: number, listener: RtcpListener): boolean {
  if (length < 8 || length > maxRtcpLength || length > packet.length || !lengthsFit(packet, length))
    return false;
  for (let offset = 0; offset < length; offset += packetLength(packet, offset))
    readOne(packet, offset, packetLength(packet, offset), listener);
  return true;
}

function packetLength(packet: Uint8Array, offset: number): number {
  return (readUint16(packet, offset + 2) + 1) * 4;
}

function lengthsFit(packet: Uint8Array, length: number): boolean {
  let offset = 0;
  for (let count = 0; offset < length; count++) {
    if (count === maxPacketsInCompound || offset + 4 > length) return false;
    if ((packet[offset] ?? 0) >>> 6 !== 2) return false;
    offset += packetLength(packet, offset);
  }
  return offset === length;
}

function readOne(packet: Uint8Array, offset: number, length: number, listener: RtcpListener): void {
  const count = (packet[offset] ?? 0) & 0x1f;
  switch (packet[offset + 1] ?? 0) {
    case packetType.sr:
      if (length < 28) return;
      listener.onSenderReport(readUint32(packet, offset + 4), readUint32(packet, offset + 10));
      readBlocks(packet, offset, 28, length, listener);
      return;
    case packetType.rr:
      readBlocks(packet, offset, 8, length, listener);
      return;
    case packetType.bye:
      for (let index = 0; index < count && 8 + index * 4 <= length; index++)
        listener.onBye(readUint32(packet, offset + 4 + index * 4));
      return;
    case packetType.transportFeedback:
    case packetType.payloadFeedback:
      listener.onFeedback();
      return;
    case packetType.xr:
      readVoipMetrics(packet, offset, length, listener);
      return;
    default:
  }
}

/** The report blocks of the packet at `offset`, `length` bytes long, which begin `first` bytes within it. */
function readBlocks(
  packet: Uint8Array,
  offset: number,
  first: number,
  length: number,
  listener: RtcpListener,
): void {
  const count = (packet[offset] ?? 0) & 0x1f;
  const reporter = readUint32(packet, offset + 4);
  for (let index = 0; index < count; index++) {
    const at = offset + first + index * reportBlockLength;
    if (at + reportBlockLength > offset + length) return;
    block.ssrc = readUint32(packet, at);
    block.fractionLost = packet[at + 4] ?? 0;
    block.cumulativeLost = (readUint32(packet, at + 4) << 8) >> 8;
    block.extendedHighestSequence = readUint32(packet, at + 8);
    block.jitter = readUint32(packet, at + 12);
    block.lastReport = readUint32(packet, at + 16);
    block.delaySinceLastReport = readUint32(packet, at + 20);
    listener.onReportBlock(block, reporter);
  }
}

/** A time as NTP has it: seconds since 1900 and 2^-32 fractions (RFC 3550 4). */
export interface NtpTime {
  readonly seconds: number;
  readonly fraction: number;
}

const ntpEpochSeconds = 2_208_988_800;

export function ntpTime(wallClockMs: number): NtpTime {
  const seconds = Math.floor(wallClockMs / 1000);
  return {
    seconds: (seconds + ntpEpochSeconds) >>> 0,
    fraction: Math.floor(((wallClockMs - seconds * 1000) / 1000) * 2 ** 32) >>> 0,
  };
}

/** The middle 32 bits, as LSR has them. */
export function ntpMiddle(time: NtpTime): number {
  return (((time.seconds & 0xffff) << 16) | (time.fraction >>> 16)) >>> 0;
}
