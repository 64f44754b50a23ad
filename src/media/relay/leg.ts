import type { Clock, Random } from "../../core/index.ts";
import type { Direction, Payload, Side, SideStatistics } from "../contract.ts";
import { RtcpReporter } from "../rtcp/reporter.ts";
import { Inbound, type OnEvent } from "./inbound.ts";
import type { Outbound } from "./outbound.ts";
import { Way } from "./way.ts";

export function otherSide(side: Side): Side {
  return side === "browser" ? "trunk" : "browser";
}

export function sends(direction: Direction): boolean {
  return direction === "sendrecv" || direction === "sendonly";
}

export function receives(direction: Direction): boolean {
  return direction === "sendrecv" || direction === "recvonly";
}

export interface LegOptions {
  readonly side: Side;
  readonly outbound: Outbound;
  /** Line toward the other side: what comes in here goes out there. */
  readonly across: Outbound;
  readonly cname: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly sendRtcp: (packet: Buffer, length: number) => void;
  readonly onEvent: OnEvent;
}

/** One side of a session: the line toward it, what comes from it, its RTCP, and what was negotiated. */
export class Leg {
  readonly side: Side;
  readonly outbound: Outbound;
  readonly way: Way;
  readonly inbound: Inbound;
  readonly rtcp: RtcpReporter;
  payload: Payload | undefined;
  direction: Direction = "inactive";
  /** Packets from this side are taken. */
  listening = false;
  /** `clock.now()` since which media is expected of this side. */
  listeningSince = 0;
  idleTold = false;

  constructor(options: LegOptions) {
    const { side, outbound, across, cname, clock, random, sendRtcp, onEvent } = options;
    this.side = side;
    this.outbound = outbound;
    this.way = new Way(across);
    this.inbound = new Inbound(this.way, onEvent);
    this.rtcp = new RtcpReporter({
      line: outbound.line,
      source: this.inbound.source,
      clock,
      random,
      cname,
      send: sendRtcp,
      onLoss: (percent) => outbound.setLoss(percent),
    });
  }

  setListening(listening: boolean, now: number): void {
    if (listening === this.listening) return;
    this.listening = listening;
    this.listeningSince = now;
    this.idleTold = false;
    if (!listening) this.way.interrupt();
  }

  /** How long this side has been silent, ms, while it was expected to send. */
  silentMs(now: number): number {
    return now - Math.max(this.listeningSince, this.inbound.mediaAt ?? this.listeningSince);
  }

  /** Counters that can cross threads; `dropped` adds what was dropped before the relay saw it. */
  statistics(dropped: Readonly<Record<string, number>>): SideStatistics {
    const { inbound, outbound, way, rtcp } = this;
    return {
      codec: this.payload?.codec,
      packetsReceived: inbound.packetsReceived,
      packetsSent: outbound.line.packets,
      bytesReceived: inbound.bytesReceived,
      bytesSent: outbound.bytesSent,
      packetsLost: inbound.source.packetsLost,
      jitterMs: inbound.jitterMs,
      remote: rtcp.remote,
      framesConcealed: way.framesConcealed,
      framesRecovered: way.framesRecovered,
      dropped: inbound.dropped.snapshot(dropped),
    };
  }

  close(): void {
    this.way.setReader(undefined);
    this.outbound.close();
  }
}
