import { readUint16, readUint32, writeUint16, writeUint32 } from "../rtp/packet.ts";
import type { ReceptionReport } from "../rtp/source.ts";

/** RTCP packet types (RFC 3550 12.1, RFC 4585 6.1). */
const type = { sr: 200, rr: 201, sdes: 202, bye: 203, transportFeedback: 205, payloadFeedback: 206 } as const;
const reportBlockLength = 24;
const cnameItem = 1;

/** Largest compound packet taken in, bytes, and how many packets it may hold: more is no honest sender's. */
export const maxRtcpLength = 1500;
const maxPacketsInCompound = 32;

/** One report block received about a line of ours (RFC 3550 6.4.1). */
export interface ReportBlock {
  ssrc: number;
  /** 0-255 of 256. */
  fractionLost: number;
  cumulativeLost: number;
  /** In units of the RTP clock of our line. */
  jitter: number;
  /** Middle 32 bits of the NTP time of our last sender report; 0 = none came. */
  lastReport: number;
  /** In 1/65536 s. */
  delaySinceLastReport: number;
}

/** What a received compound packet tells; called as it is read. */
export interface RtcpListener {
  /** `ntpMiddle` = middle 32 bits of the sender's NTP time, to be given back in our report block. */
  onSenderReport(ssrc: number, ntpMiddle: number): void;
  /** The object is used again: take out what is needed. */
  onReportBlock(block: Readonly<ReportBlock>): void;
  onBye(ssrc: number): void;
  /** Transport or payload feedback (RFC 4585). */
  onFeedback(): void;
}

const block: ReportBlock = {
  ssrc: 0,
  fractionLost: 0,
  cumulativeLost: 0,
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
    case type.sr:
      if (length < 28) return;
      listener.onSenderReport(readUint32(packet, offset + 4), readUint32(packet, offset + 10));
      readBlocks(packet, offset + 28, offset + length, count, listener);
      return;
    case type.rr:
      readBlocks(packet, offset + 8, offset + length, count, listener);
      return;
    case type.bye:
      for (let index = 0; index < count && 8 + index * 4 <= length; index++)
        listener.onBye(readUint32(packet, offset + 4 + index * 4));
      return;
    case type.transportFeedback:
    case type.payloadFeedback:
      listener.onFeedback();
      return;
    default:
  }
}

function readBlocks(
  packet: Uint8Array,
  first: number,
  end: number,
  count: number,
  listener: RtcpListener,
): void {
  for (let index = 0; index < count; index++) {
    const at = first + index * reportBlockLength;
    if (at + reportBlockLength > end) return;
    block.ssrc = readUint32(packet, at);
    block.fractionLost = packet[at + 4] ?? 0;
    block.cumulativeLost = (readUint32(packet, at + 4) << 8) >> 8;
    block.jitter = readUint32(packet, at + 12);
    block.lastReport = readUint32(packet, at + 16);
    block.delaySinceLastReport = readUint32(packet, at + 20);
    listener.onReportBlock(block);
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

/** What our compound packet says. */
export interface OutgoingReport {
  readonly ssrc: number;
  readonly cname: string;
  /** Present when we sent RTP since the last report: makes it a sender report. */
  readonly sender?: {
    readonly ntp: NtpTime;
    readonly rtpTimestamp: number;
    readonly packets: number;
    readonly octets: number;
  };
  readonly reception?: ReceptionReport & {
    readonly lastReport: number;
    readonly delaySinceLastReport: number;
  };
  /** Ends the packet with a BYE. */
  readonly bye?: boolean;
}

/** Writes SR or RR, SDES with the CNAME and perhaps BYE into `into`; returns the length. */
export function writeReport(into: Uint8Array, report: OutgoingReport): number {
  let end = writeSenderOrReceiver(into, report);
  end = writeSdes(into, end, report);
  if (report.bye) {
    header(into, end, 1, type.bye, 8);
    writeUint32(into, end + 4, report.ssrc);
    end += 8;
  }
  return end;
}

function header(into: Uint8Array, at: number, count: number, packetType: number, length: number): void {
  into[at] = 0x80 | count;
  into[at + 1] = packetType;
  writeUint16(into, at + 2, length / 4 - 1);
}

function writeSenderOrReceiver(into: Uint8Array, report: OutgoingReport): number {
  const { sender, reception } = report;
  const fixed = sender ? 28 : 8;
  const length = fixed + (reception ? reportBlockLength : 0);
  header(into, 0, reception ? 1 : 0, sender ? type.sr : type.rr, length);
  writeUint32(into, 4, report.ssrc);
  if (sender) {
    writeUint32(into, 8, sender.ntp.seconds);
    writeUint32(into, 12, sender.ntp.fraction);
    writeUint32(into, 16, sender.rtpTimestamp);
    writeUint32(into, 20, sender.packets);
    writeUint32(into, 24, sender.octets);
  }
  if (reception) {
    writeUint32(into, fixed, reception.ssrc);
    writeUint32(into, fixed + 4, reception.cumulativeLost & 0xffffff);
    into[fixed + 4] = reception.fractionLost;
    writeUint32(into, fixed + 8, reception.extendedHighestSequence);
    writeUint32(into, fixed + 12, reception.jitter);
    writeUint32(into, fixed + 16, reception.lastReport);
    writeUint32(into, fixed + 20, reception.delaySinceLastReport);
  }
  return length;
}

function writeSdes(into: Uint8Array, at: number, report: OutgoingReport): number {
  const name = Buffer.from(report.cname, "utf8").subarray(0, 255);
  // Item header, name, at least one zero byte, padded to 32 bits (RFC 3550 6.5).
  const length = 8 + Math.ceil((2 + name.length + 1) / 4) * 4;
  into.fill(0, at, at + length);
  header(into, at, 1, type.sdes, length);
  writeUint32(into, at + 4, report.ssrc);
  into[at + 8] = cnameItem;
  into[at + 9] = name.length;
  into.set(name, at + 10);
  return at + length;
}
