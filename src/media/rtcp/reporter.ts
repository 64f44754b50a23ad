import type { Clock, Random } from "../../core/index.ts";
import type { ReceivedSource } from "../rtp/source.ts";
import type { SendLine } from "../rtp/send-line.ts";
import type { VoipMetrics } from "../contract.ts";
import type { OwnVoipMetrics } from "./extended-report.ts";
import {
  maxRtcpLength,
  ntpMiddle,
  ntpTime,
  readRtcp,
  type ReportBlock,
  type RtcpListener,
} from "./packet.ts";
import { ReportedLoss } from "./reported-loss.ts";
import { SentReports } from "./sent-reports.ts";
import { writeReport, type OutgoingReport } from "./write.ts";

/** Mean time between reports of one side, ms (RFC 3550 6.2: 5 s for so few participants). */
const intervalMs = 5000;
/** Least time from any report to one between the regular ones, ms. */
const earlyMs = 1000;

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
  /** Something received was of no use: broken, or a report under the SSRC that is ours (a loop or a collision). */
  readonly onDropped: (cause: "malformedRtcp" | "ownSsrc") => void;
  /** Figures for an extended report beside each regular one; undefined sends none. */
  readonly voipMetrics?: (() => OwnVoipMetrics) | undefined;
}

/** RTCP of one side: sends reports at randomised intervals, takes in those of the far end. */
export class RtcpReporter implements RtcpListener {
  remote: RemoteView | undefined;
  /** The far end's last VoIP metrics about our line. */
  farEnd: VoipMetrics | undefined;
  /** What the far end's reports said of our line, in all. */
  readonly reported = new ReportedLoss();
  /**
   * Negotiated (RFC 5506): news, which is the first report and a loss, goes out between the regular compound packets,
   * as a report alone. So a browser's encoder hears of loss within a second.
   */
  reducedSize = false;
  readonly #options: ReporterOptions;
  readonly #packet = Buffer.alloc(maxRtcpLength);
  readonly #sentReports = new SentReports();
  #dueAt = -1;
  #earlyAt = 0;
  #anySent = false;
  #lossTold = 0;
  #packetsReported = 0;
  #peerSsrc = 0;
  #peerReport = 0;
  #peerReportAt = 0;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** Sends a report when one is due; the first comes sooner (RFC 3550 6.2). Call while the side is connected. */
  tick(now: number): void {
    if (this.#dueAt < 0) {
      this.#dueAt = now + this.#interval() / 2;
      this.#earlyAt = now + earlyMs;
    }
    if (now >= this.#dueAt) {
      this.#dueAt = now + this.#interval();
      const { voipMetrics, source } = this.#options;
      this.#send(now, source.started && voipMetrics ? { voipMetrics: voipMetrics() } : {});
    } else if (this.reducedSize && now >= this.#earlyAt && this.#hasNews)
      this.#send(now, { reducedSize: true });
  }

  get #hasNews(): boolean {
    const { line, source } = this.#options;
    return this.#anySent ? source.packetsLost > this.#lossTold : line.packets > 0;
  }

  /** Says that we leave (RFC 3550 6.6), if anything was ever sent. */
  bye(now: number): void {
    if (this.#options.line.packets > 0) this.#send(now, { bye: true });
  }

  /** Takes in a packet, compound or of reduced size. */
  receive(packet: Buffer, length: number): void {
    if (!readRtcp(packet, length, this)) this.onMalformed();
  }

  /** Only the source that we hear counts: a stray one's time would spoil the round trip it measures. */
  onSenderReport(ssrc: number, middle: number): void {
    const { line, source, clock, onDropped } = this.#options;
    if (ssrc === line.ssrc) return onDropped("ownSsrc");
    if (source.started && ssrc !== source.ssrc) return;
    this.#peerSsrc = ssrc;
    this.#peerReport = middle;
    this.#peerReportAt = clock.now();
  }

  onReportBlock(block: Readonly<ReportBlock>, reporter: number): void {
    const { line, clock, onLoss, onDropped } = this.#options;
    if (reporter === line.ssrc) return onDropped("ownSsrc");
    if (block.ssrc !== line.ssrc) return;
    const view = {
      fractionLost: block.fractionLost / 256,
      jitterMs: (block.jitter * 1000) / line.clockRate,
    };
    const delayMs = (block.delaySinceLastReport * 1000) / 65536;
    const roundTripMs = this.#sentReports.roundTrip(block.lastReport, delayMs, clock.now());
    this.remote = roundTripMs === undefined ? view : { ...view, roundTripMs };
    this.reported.add(block, line.packets);
    onLoss(view.fractionLost * 100);
  }

  onVoipMetrics(ssrc: number, reporter: number, metrics: VoipMetrics): void {
    const { line, onDropped } = this.#options;
    if (reporter === line.ssrc) return onDropped("ownSsrc");
    if (ssrc === line.ssrc) this.farEnd = metrics;
  }

  onMalformed(): void {
    this.#options.onDropped("malformedRtcp");
  }

  /** Signalling ends calls, not RTCP. */
  onBye(): void {}

  /** Packets are never sent again, and there is no picture to refresh. */
  onFeedback(): void {}

  #interval(): number {
    return intervalMs * (0.5 + this.#options.random.fraction());
  }

  #send(now: number, parts: Pick<OutgoingReport, "reducedSize" | "voipMetrics" | "bye">): void {
    const { line, source, send, clock, cname } = this.#options;
    const sending = line.packets > this.#packetsReported;
    this.#packetsReported = line.packets;
    this.#lossTold = source.packetsLost;
    this.#earlyAt = now + earlyMs;
    this.#anySent = true;
    const ntp = ntpTime(clock.wallClock());
    if (sending) this.#sentReports.add(ntpMiddle(ntp), now);
    const { packets, octets, ssrc } = line;
    const report: OutgoingReport = {
      ssrc,
      cname,
      ...(sending && { sender: { ntp, rtpTimestamp: line.timestampNow(now), packets, octets } }),
      ...this.#reception(now),
      ...parts,
    };
    send(this.#packet, writeReport(this.#packet, report));
  }

  #reception(now: number): Partial<Pick<OutgoingReport, "reception">> {
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
