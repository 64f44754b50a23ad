import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { connect, type Socket as TcpSocket } from "node:net";
import type { Clock, Logger, Timer } from "../../core/index.ts";

/** Where packets go. */
export interface HepTarget {
  /** Address or name. */
  readonly host: string;
  readonly port: number;
  readonly transport: "udp" | "tcp";
}

export interface HepSenderParts extends HepTarget {
  readonly clock: Clock;
  readonly log: Logger;
}

/** What became of packets; they only grow. */
export interface HepCounters {
  sent: number;
  /** No connection, or more waits than may. */
  dropped: number;
  /** Failures of the socket: refused, unreachable, name not found. */
  errors: number;
}

/** What may wait in a socket, bytes: some seconds of a busy gateway. */
const waitingBytes = 4_000_000;
/** Pause before the next connection, ms; it doubles up to the longest. */
const firstPauseMs = 1000;
const longestPauseMs = 30_000;
/** One line about a receiver that is away in this time, ms. */
const quietMs = 600_000;
const closePatienceMs = 2000;

/**
 * Sends packets to a receiver and never waits for it: what it does not take is dropped and counted. The name is looked
 * up with each connection, for UDP too.
 */
export class HepSender {
  readonly counters: HepCounters = { sent: 0, dropped: 0, errors: 0 };
  readonly #parts: HepSenderParts;
  #udp: UdpSocket | undefined;
  #tcp: TcpSocket | undefined;
  #ready = false;
  #closed = false;
  #pauseMs = firstPauseMs;
  #timer: Timer | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(parts: HepSenderParts) {
    this.#parts = parts;
    this.#open();
  }

  send(packet: Buffer): void {
    if (!this.#ready || this.#closed || this.#waiting + packet.length > waitingBytes) {
      this.counters.dropped++;
      return;
    }
    this.counters.sent++;
    if (this.#tcp) this.#tcp.write(packet);
    else this.#udp?.send(packet, (error) => error && this.#failed(error));
  }

  get #waiting(): number {
    return this.#tcp?.writableLength ?? this.#udp?.getSendQueueSize() ?? 0;
  }

  /** Idempotent. What waits has 2 s to leave. */
  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    this.#timer?.clear();
    const tcp = this.#tcp;
    this.#closeUdp();
    if (!tcp || !this.#ready) {
      tcp?.destroy();
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const timer = this.#parts.clock.setTimer(closePatienceMs, () => tcp.destroy());
      tcp.once("close", () => {
        timer.clear();
        resolve();
      });
      tcp.end(() => tcp.destroy());
    });
  }

  #open(): void {
    this.#ready = false;
    if (this.#parts.transport === "tcp") this.#openTcp();
    else this.#openUdp();
  }

  /** Connected, so that the name is looked up once and the receiver's host may say that nobody listens. */
  #openUdp(): void {
    const socket = createSocket("udp4");
    this.#udp = socket;
    socket.unref();
    socket.on("error", (error) => this.#failed(error));
    socket.on("connect", () => (this.#ready = true));
    socket.connect(this.#parts.port, this.#parts.host);
  }

  #openTcp(): void {
    const socket = connect({ host: this.#parts.host, port: this.#parts.port, noDelay: true });
    this.#tcp = socket;
    socket.unref();
    // Nothing is said to us; read, so that the end is seen.
    socket.resume();
    socket.on("connect", () => {
      this.#ready = true;
      this.#pauseMs = firstPauseMs;
    });
    socket.on("error", (error) => this.#failed(error));
    socket.on("close", () => {
      this.#ready = false;
      this.#again();
    });
  }

  #failed(error: Error): void {
    this.counters.errors++;
    const { clock, log, host, port } = this.#parts;
    if (clock.now() - this.#toldAt >= quietMs && !this.#closed) {
      this.#toldAt = clock.now();
      log.warn(
        { err: error, receiver: `${host}:${port}`, ...this.counters },
        "HEP receiver cannot be reached",
      );
    }
    // A UDP socket stays usable while the receiver is away; another one looks the name up anew.
    if (this.#udp) this.#again();
  }

  #again(): void {
    if (this.#closed || this.#timer) return;
    this.#timer = this.#parts.clock.setTimer(this.#pauseMs, () => {
      this.#timer = undefined;
      this.#closeUdp();
      this.#open();
    });
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
  }

  #closeUdp(): void {
    this.#udp?.removeAllListeners();
    // A lookup that is still under way may fail after this.
    this.#udp?.on("error", () => {});
    this.#udp?.close();
    this.#udp = undefined;
  }
}
