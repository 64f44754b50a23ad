import { TokenBucket, type Clock, type Random } from "../../core/index.ts";
import type { Direction, Payload, Side, SideStatistics } from "../contract.ts";
import { SideQuality } from "../quality/side-quality.ts";
import { RtcpReporter } from "../rtcp/reporter.ts";
import { DriftMeter } from "../rtp/drift.ts";
import { Inbound, type OnEvent } from "./inbound.ts";
import type { Outbound } from "./outbound.ts";
import { SmoothedLoss } from "./smoothed-loss.ts";
import { Way } from "./way.ts";

/** Packets taken at once and per second: what a stalled network may hold back, and more than 5 ms packets make. */
const packetBurst = 1000;
const packetsPerSecond = 250;
/** Key presses taken at once and per second: faster than anybody and any dialler presses keys. */
const pressBurst = 32;
const pressesPerSecond = 20;

export interface LegOptions {
  readonly side: Side;
  readonly outbound: Outbound;
  /** Line toward the other side: what comes in here goes out there. */
  readonly across: Outbound;
  readonly cname: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly sendRtcp: (packet: Buffer, length: number) => void;
  /** Sends VoIP metrics too (RFC 3611 4.7). */
  readonly rtcpXr: boolean;
  readonly onEvent: OnEvent;
  /** What comes in is played at an even pace by a jitter buffer. */
  readonly buffered: boolean;
}

/** One side of a session: the line toward it, what comes from it, its RTCP, and what was negotiated. */
export class Leg {
  readonly side: Side;
  readonly outbound: Outbound;
  readonly drift = new DriftMeter();
  readonly way: Way;
  readonly inbound: Inbound;
  readonly rtcp: RtcpReporter;
  readonly quality: SideQuality;
  /** Each packet may cost coding and is sent on: a flood of authentic ones must not get through either. */
  readonly packets: TokenBucket;
  /** Each press is told to the main thread: a flood must not get through to it. */
  readonly presses: TokenBucket;
  payload: Payload | undefined;
  direction: Direction = "inactive";
  /** Packets from this side are taken. */
  listening = false;
  readonly #smoothedLoss = new SmoothedLoss();
  #listeningSince = 0;
  #idleTold = false;

  constructor(options: LegOptions) {
    const { side, outbound, across, cname, clock, random, sendRtcp, onEvent, rtcpXr, buffered } = options;
    this.side = side;
    this.packets = new TokenBucket(packetBurst, packetsPerSecond, clock.now());
    this.presses = new TokenBucket(pressBurst, pressesPerSecond, clock.now());
    this.outbound = outbound;
    this.way = new Way(across, this.drift, buffered);
    this.inbound = new Inbound(this.way, this.drift, onEvent, buffered);
    this.rtcp = new RtcpReporter({
      line: outbound.line,
      source: this.inbound.source,
      clock,
      random,
      cname,
      send: sendRtcp,
      onLoss: (percent) => outbound.setLoss(this.#smoothedLoss.take(percent)),
      onDropped: (cause) => this.inbound.dropped.add(cause),
      voipMetrics: rtcpXr ? () => this.quality.voipMetrics : undefined,
    });
    this.quality = new SideQuality({
      meter: this.inbound.meter,
      codec: () => this.payload?.codec,
      jitterMs: () => this.inbound.jitterMs,
      recovered: () => this.way.framesRecovered,
      remote: () => this.rtcp.remote,
      reported: this.rtcp.reported,
    });
  }

  setListening(listening: boolean, now: number): void {
    if (listening === this.listening) return;
    this.listening = listening;
    this.#listeningSince = now;
    this.#idleTold = false;
    if (listening) return this.inbound.meter.restart();
    this.way.interrupt();
    this.inbound.pause();
  }

  /** Every 20 ms; `caughtUp`: all that has come was read, so silence is the sender's and not ours. */
  tick(now: number, caughtUp: boolean): void {
    if (!this.listening) return;
    this.inbound.tick(now, caughtUp);
    if (caughtUp && !this.inbound.holding) this.way.tick(now);
  }

  /**
   * For how long this side has been silent, ms, if that is at least `idleMs` and was not told before. Only of a side
   * that is to send, so hold is no silence. `consentAt`: last sign of the peer's consent, where there are such.
   */
  newlyIdle(now: number, idleMs: number, consentAt: number | undefined): number | undefined {
    if (!this.listening) return undefined;
    const since = this.#listeningSince;
    const heardAt = Math.max(since, Math.min(this.inbound.mediaAt ?? since, consentAt ?? Infinity));
    const idle = now - heardAt >= idleMs;
    const told = this.#idleTold;
    this.#idleTold = idle;
    return idle && !told ? now - heardAt : undefined;
  }

  /** Counters that can cross threads; `dropped` adds what was dropped before the relay saw it. */
  statistics(dropped: Readonly<Record<string, number>>): SideStatistics {
    const { inbound, outbound, way, rtcp, quality } = this;
    return {
      codec: this.payload?.codec,
      packetsReceived: inbound.packetsReceived,
      packetsSent: outbound.line.packets,
      bytesReceived: inbound.bytesReceived,
      bytesSent: outbound.bytesSent,
      packetsLost: inbound.source.packetsLost,
      jitterMs: inbound.jitterMs,
      remote: rtcp.remote,
      received: quality.received,
      sent: quality.sent,
      farEnd: rtcp.farEnd,
      packetsReordered: inbound.reordered,
      jitterBufferMs: inbound.bufferMs,
      driftPpm: this.drift.ppm,
      driftCorrections: way.driftCorrections,
      framesConcealed: way.framesConcealed,
      framesRecovered: way.framesRecovered,
      dropped: inbound.dropped.with(dropped),
    };
  }

  close(): void {
    this.way.setReader(undefined);
    this.outbound.close();
  }
}
