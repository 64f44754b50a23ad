import { writeUint16, writeUint32 } from "../rtp/packet.ts";
import type { ReceptionReport } from "../rtp/source.ts";
import { voipMetricsLength, writeVoipMetrics, type OwnVoipMetrics } from "./extended-report.ts";
import { packetType, reportBlockLength, type NtpTime } from "./packet.ts";

const cnameItem = 1;

/** What our packet says. */
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
  /** The report alone, without the CNAME: only where reduced size was negotiated (RFC 5506). */
  readonly reducedSize?: boolean;
  /** VoIP metrics about `reception.ssrc`, in an extended report (RFC 3611 4.7). */
  readonly voipMetrics?: OwnVoipMetrics | undefined;
  /** Ends the packet with a BYE. */
  readonly bye?: boolean;
}

/** Writes SR or RR, SDES with the CNAME and perhaps XR and BYE into `into`; returns the length. */
export function writeReport(into: Uint8Array, report: OutgoingReport): number {
  const { reception, voipMetrics } = report;
  let end = writeSenderOrReceiver(into, report);
  if (!report.reducedSize) end = writeSdes(into, end, report);
  if (voipMetrics && reception) {
    header(into, end, 0, packetType.xr, voipMetricsLength);
    writeVoipMetrics(into, end, report.ssrc, reception.ssrc, voipMetrics);
    end += voipMetricsLength;
  }
  if (report.bye) {
    header(into, end, 1, packetType.bye, 8);
    writeUint32(into, end + 4, report.ssrc);
    end += 8;
  }
  return end;
}

function header(into: Uint8Array, at: number, count: number, kind: number, length: number): void {
  into[at] = 0x80 | count;
  into[at + 1] = kind;
  writeUint16(into, at + 2, length / 4 - 1);
}

function writeSenderOrReceiver(into: Uint8Array, report: OutgoingReport): number {
  const { sender, reception } = report;
  const fixed = sender ? 28 : 8;
  const length = fixed + (reception ? reportBlockLength : 0);
  header(into, 0, reception ? 1 : 0, sender ? packetType.sr : packetType.rr, length);
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
  header(into, at, 1, packetType.sdes, length);
  writeUint32(into, at + 4, report.ssrc);
  into[at + 8] = cnameItem;
  into[at + 9] = name.length;
  into.set(name, at + 10);
  return at + length;
}
