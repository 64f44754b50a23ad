import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIP, isIPv6 } from "node:net";
import type { Logger } from "../../core/index.ts";
import { FlowCache } from "./flow-cache.ts";
import type { Flow, FlowReceiver } from "./flow.ts";
import { UdpFlow, type UdpSender } from "./udp-flow.ts";

/** What the SIP socket binds, whom it hears, and who gets what it hears. */
export interface UdpTransportOptions {
  /** Local IP address to bind. */
  readonly host: string;
  /** Local port; 0 takes a free one. */
  readonly port: number;
  /** Address (or name) that peers reach us by; stands in our Vias. */
  readonly advertisedAddress: string;
  readonly receiver: FlowReceiver;
  /** Who may send to us; anybody else's datagrams are dropped unread. IPv4-mapped addresses come as IPv4. */
  readonly allow: (address: string) => boolean;
  readonly log: Logger;
  /** Receive buffer to ask the kernel for, in bytes; 4 MB unless told. */
  readonly receiveBufferBytes?: number;
}

/** Counted since the socket was bound. */
export interface UdpCounters {
  datagramsReceived: number;
  datagramsSent: number;
  /** Datagrams from addresses `allow` refuses. */
  droppedByAddress: number;
  sendErrors: number;
  socketErrors: number;
  /** The receiver threw; a fault of ours. */
  receiverErrors: number;
  /** What the kernel granted, in bytes; Linux tells twice the usable size. */
  receiveBufferBytes: number;
}

/** The SIP socket. */
export interface UdpTransport {
  /** The port bound. */
  readonly port: number;
  /** The flow to `address` (an IP address, never a name) and `port`; sending to anything else fails. */
  flowTo(address: string, port: number): Flow;
  readonly counters: Readonly<UdpCounters>;
  /** Closes the socket; every flow is told as closed. Idempotent. */
  close(): Promise<void>;
}

const defaultReceiveBufferBytes = 4 * 1024 * 1024;
/** A gateway talks to a few SIP Servers; the rest is headroom for peers behind changing ports. */
const cachedFlows = 4096;

/** Binds the socket. Rejects with the system's error (EADDRINUSE, EACCES ...) when it cannot be bound. */
export async function openUdpTransport(options: UdpTransportOptions): Promise<UdpTransport> {
  const transport = new Transport(options);
  await transport.bind();
  return transport;
}

class Transport implements UdpTransport, UdpSender {
  readonly counters: UdpCounters = {
    datagramsReceived: 0,
    datagramsSent: 0,
    droppedByAddress: 0,
    sendErrors: 0,
    socketErrors: 0,
    receiverErrors: 0,
    receiveBufferBytes: 0,
  };
  readonly #options: UdpTransportOptions;
  readonly #log: Logger;
  readonly #socket: Socket;
  readonly #flows = new FlowCache<UdpFlow>(cachedFlows);
  #port = 0;
  #sentBy = "";
  #open = false;
  #closed: Promise<void> | undefined;

  constructor(options: UdpTransportOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#socket = createSocket({
      type: isIPv6(options.host) ? "udp6" : "udp4",
      // Addresses are IP addresses here; without this Node would ask its resolver for each datagram.
      lookup: (name, _options, callback) => callback(null, name, isIPv6(name) ? 6 : 4),
    });
  }

  get port(): number {
    return this.#port;
  }

  get sentBy(): string {
    return this.#sentBy;
  }

  get open(): boolean {
    return this.#open;
  }

  async bind(): Promise<void> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#socket.once("error", reject);
      this.#socket.bind({ address: host, port, exclusive: true }, () => {
        this.#socket.off("error", reject);
        resolve();
      });
    });
    this.#port = this.#socket.address().port;
    const { advertisedAddress } = this.#options;
    this.#sentBy = `${isIPv6(advertisedAddress) ? `[${advertisedAddress}]` : advertisedAddress}:${this.#port}`;
    this.#askForBuffer();
    this.#socket.on("error", (error) => {
      this.counters.socketErrors++;
      this.#log.error({ err: error }, "UDP socket error");
    });
    this.#socket.on("message", (message, remote) => this.#receive(message, remote));
    this.#open = true;
  }

  flowTo(address: string, port: number): Flow {
    const key = `${address}|${port}`;
    return this.#flows.take(key, () => new UdpFlow(this, `udp:${this.#port}|${key}`, address, port));
  }

  send(message: Buffer, address: string, port: number, onError?: (error: Error) => void): void {
    const failed = (error: Error): void => {
      this.counters.sendErrors++;
      onError?.(error);
    };
    if (!this.#open) return failed(new Error("UDP transport closed"));
    if (isIP(address) === 0) return failed(new Error("not an IP address"));
    try {
      this.#socket.send(message, port, address, (error) => {
        if (error) failed(error);
        else this.counters.datagramsSent++;
      });
    } catch (error) {
      // Node throws for a port outside 1-65535.
      failed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#open = false;
      for (const flow of this.#flows.drain()) this.#options.receiver.flowClosed(flow);
      this.#socket.close(() => resolve());
    });
    return this.#closed;
  }

  #receive(message: Buffer, remote: RemoteInfo): void {
    if (!this.#open) return;
    this.counters.datagramsReceived++;
    const mapped = remote.address.startsWith("::ffff:") && remote.address.includes(".");
    const address = mapped ? remote.address.slice(7) : remote.address;
    if (!this.#options.allow(address)) {
      this.counters.droppedByAddress++;
      return;
    }
    try {
      this.#options.receiver.receive(this.flowTo(remote.address, remote.port), message, "datagram");
    } catch (error) {
      this.counters.receiverErrors++;
      this.#log.error({ err: error }, "receiver of UDP datagrams threw");
    }
  }

  #askForBuffer(): void {
    try {
      this.#socket.setRecvBufferSize(this.#options.receiveBufferBytes ?? defaultReceiveBufferBytes);
    } catch (error) {
      this.#log.warn({ err: error }, "receive buffer not granted");
    }
    this.counters.receiveBufferBytes = this.#socket.getRecvBufferSize();
  }
}
