import { createSocket, type Socket } from "node:dgram";
import type { Clock, Logger, Timer } from "../../core/index.ts";
import type { Peer } from "./address.ts";
import type { Faults } from "./faults.ts";

/** One SIP datagram as it was on the wire. */
export interface WireEntry {
  /** Milliseconds of the injected clock. */
  readonly at: number;
  readonly direction: "in" | "out";
  readonly peer: Peer;
  readonly text: string;
  /** True when a fault made it vanish. */
  readonly lost: boolean;
}

/** The UDP socket SIP runs on, with its trace and its faults. */
export class Wire {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #faults: Faults;
  readonly #traceLimit: number;
  readonly #trace: WireEntry[] = [];
  readonly #delayed = new Set<Timer>();
  #closed = false;
  /** Datagrams given to the system whose fate it has not told yet. */
  #sending = 0;
  #idle: (() => void) | undefined;
  /** Takes each datagram that is not a keep-alive. */
  receive: ((datagram: Buffer, from: Peer) => void) | undefined;

  private constructor(socket: Socket, options: WireOptions) {
    this.#socket = socket;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#faults = options.faults;
    this.#traceLimit = options.traceLimit;
    socket.on("message", (datagram, from) =>
      this.#arrived(datagram, { host: from.address, port: from.port }),
    );
    socket.on("error", (error) => this.#log.warn({ err: error }, "SIP socket"));
  }

  /** Binds the socket. Rejects with the system's error when the address is taken. */
  static async open(options: WireOptions): Promise<Wire> {
    const socket = createSocket({ type: "udp4", recvBufferSize: 4 * 1024 * 1024 });
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(options.port, options.host, () => {
        socket.off("error", reject);
        resolve();
      });
    });
    return new Wire(socket, options);
  }

  /** The port bound, also when 0 was asked for. */
  get port(): number {
    return this.#socket.address().port;
  }

  get trace(): readonly WireEntry[] {
    return this.#trace;
  }

  send(text: string, peer: Peer): void {
    if (this.#closed) return;
    const lost = this.#faults.losesSip();
    this.#record("out", peer, text, lost);
    if (lost) return;
    if (this.#faults.delayMs <= 0) return this.#put(text, peer);
    const timer = this.#clock.setTimer(this.#faults.delayMs, () => {
      this.#delayed.delete(timer);
      this.#put(text, peer);
    });
    this.#delayed.add(timer);
  }

  /** Lets what was sent before go out; nothing is sent or received afterwards. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#delayed) timer.clear();
    this.#delayed.clear();
    if (this.#sending > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #put(text: string, peer: Peer): void {
    this.#sending++;
    this.#socket.send(text, peer.port, peer.host, (error) => {
      if (--this.#sending === 0) this.#idle?.();
      if (error) this.#log.warn({ err: error, peer }, "cannot send SIP");
    });
  }

  #arrived(datagram: Buffer, peer: Peer): void {
    // Keep-alives of CRLF alone are no messages (RFC 5626 3.5.1).
    if (this.#closed || datagram.every((byte) => byte === 13 || byte === 10 || byte === 0)) return;
    const lost = this.#faults.losesSip();
    this.#record("in", peer, datagram.toString("utf8"), lost);
    if (lost) return;
    try {
      this.receive?.(datagram, peer);
    } catch (error) {
      this.#log.error({ err: error, peer }, "handling of a SIP message failed");
    }
  }

  #record(direction: "in" | "out", peer: Peer, text: string, lost: boolean): void {
    if (this.#traceLimit <= 0) return;
    if (this.#trace.length >= this.#traceLimit) this.#trace.shift();
    this.#trace.push({ at: this.#clock.now(), direction, peer, text, lost });
  }
}

export interface WireOptions {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly faults: Faults;
  /** Messages kept in the trace; the oldest go first, 0 keeps none. */
  readonly traceLimit: number;
}
