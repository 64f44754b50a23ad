import type { Clock, Random } from "../../core/index.ts";
import type { ReceivedSource } from "../rtp/source.ts";
import type { SendLine } from "../rtp/send-line.ts";
import {
  maxRtcpLength,
  ntpMiddle,
  ntpTime,
  readRtcp,
  writeReport,
  type OutgoingReport,
  type ReportBlock,
  type RtcpListener,
} from "./packet.ts";

/** Mean time between reports of one side, ms (RFC 3550 6.2: 5 s for so few participants). */
const intervalMs = 5000;

/** What the far end said of what we send. */
export interface RemoteView {
  readonly fractionLost: number;
  readonly jitterMs: number;
  readonly roundTripMs?: number;
}

export interface ReporterOptions {
  readonly line: SendLine;
  readonly source: ReceivedSource;
  readonly clock: Clock;
  readonly random: Random;
  /** Name of this session's sound source, made for it alone (RFC 7022). */
  readonly cname: string;
  /** Sends the compound packet in `packet[0, length)`, which is used again at once. */
  readonly send: (packet: Buffer, length: number) => void;
  /** Loss of what we send, percent, each time the far end reports it. */
  readonly onLoss: (percent: number) => void;
}

/** RTCP of one side: sends reports at randomised intervals, takes in those of the far end. */
export class RtcpReporter implements RtcpListener {
  remote: RemoteView | undefined;
  readonly #options: ReporterOptions;
  readonly #packet = Buffer.alloc(maxRtcpLength);
  #dueAt = -1;
  #packetsReported = 0;
  #peerSsrc = 0;
  #peerReport = 0;
  #peerReportAt = 0;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** Sends a report when one is due; the first comes sooner (RFC 3550 6.2). Call while the side is connected. */
  tick(now: number): void {
    if (this.#dueAt < 0) this.#dueAt = now + this.#interval() / 2;
    if (now < this.#dueAt) return;
    this.#dueAt = now + this.#interval();
    this.#send(now, false);
  }

  /** Says that we leave (RFC 3550 6.6), if anything was ever sent. */
  bye(now: number): void {
    if (this.#options.line.packets > 0) this.#send(now, true);
  }

  /** Reads a compound packet; false when malformed. */
  receive(packet: Buffer, length: number): boolean {
    return readRtcp(packet, length, this);
  }

  onSenderReport(ssrc: number, middle: number): void {
    this.#peerSsrc = ssrc;
    this.#peerReport = middle;
    this.#peerReportAt = this.#options.clock.now();
  }

  onReportBlock(block: Readonly<ReportBlock>): void {
    const { line, clock, onLoss } = this.#options;
    if (block.ssrc !== line.ssrc) return;
    const view = {
      fractionLost: block.fractionLost / 256,
      jitterMs: (block.jitter * 1000) / line.clockRate,
    };
    const roundTripMs = block.lastReport === 0 ? undefined : roundTrip(clock.wallClock(), block);
    this.remote = roundTripMs === undefined ? view : { ...view, roundTripMs };
    onLoss(view.fractionLost * 100);
  }

  /** Signalling ends calls, not RTCP. */
  onBye(): void {}

  /** Packets are never sent again, and there is no picture to refresh. */
  onFeedback(): void {}

  #interval(): number {
    return intervalMs * (0.5 + this.#options.random.fraction());
  }

  #send(now: number, bye: boolean): void {
    const { line, send, clock, cname } = this.#options;
    const sending = line.packets > this.#packetsReported;
    this.#packetsReported = line.packets;
    const report: OutgoingReport = {
      ssrc: line.ssrc,
      cname,
      ...(sending && {
        sender: {
          ntp: ntpTime(clock.wallClock()),
          rtpTimestamp: line.timestampNow(now),
          packets: line.packets,
          octets: line.octets,
        },
      }),
      ...this.#reception(now),
      bye,
    };
    send(this.#packet, writeReport(this.#packet, report));
  }

  #reception(now: number): Pick<OutgoingReport, "reception"> {
    const { source } = this.#options;
    if (!source.started) return {};
    const heard = this.#peerReport !== 0 && this.#peerSsrc === source.ssrc;
    return {
      reception: {
        ...source.report(),
        lastReport: heard ? this.#peerReport : 0,
        delaySinceLastReport: heard ? Math.round(((now - this.#peerReportAt) * 65536) / 1000) >>> 0 : 0,
      },
    };
  }
}

/** ms, from the figures of RFC 3550 6.4.1; undefined when they make no sense. */
function roundTrip(wallClock: number, block: Readonly<ReportBlock>): number | undefined {
  const units = (ntpMiddle(ntpTime(wallClock)) - block.lastReport - block.delaySinceLastReport) | 0;
  const ms = (units * 1000) / 65536;
  // Clocks of 1/65536 s may make a tiny negative; a minute is no round trip but nonsense.
  return ms < -5 || ms > 60_000 ? undefined : Math.max(0, ms);
}
