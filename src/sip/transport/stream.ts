import { createServer, isIP, isIPv6, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import { ConnectionFlow } from "./connection-flow.ts";
import { FlowCache } from "./flow-cache.ts";
import type { Flow } from "./flow.ts";
import { ServerFlow } from "./server-flow.ts";
import { connector, listenerOptions } from "./stream-connect.ts";
import {
  defaultStreamLimits,
  newStreamCounters,
  type StreamContext,
  type StreamCounters,
  type StreamTransportOptions,
  type TlsSettings,
} from "./stream-options.ts";

/** SIP over TCP or TLS toward SIP Servers (RFC 3261 18): the listener, and one flow for each server. */
export interface StreamTransport {
  readonly protocol: "TCP" | "TLS";
  /** The port we listen on. */
  readonly port: number;
  /**
   * The flow to a configured server, kept connected from the first message on; always the same object for the same
   * address and port. `name`: what its certificate must be for (TLS); the address unless told.
   */
  serverFlow(address: string, port: number, name?: string): Flow;
  /** The flow to `address` (an IP address) and `port`, connected on demand; a configured server's own where it is one. */
  flowTo(address: string, port: number): Flow;
  readonly counters: Readonly<StreamCounters>;
  /** Connections that stand or are being made, both ways. */
  readonly connections: number;
  /**
   * Certificates, keys and authorities from the next connection on, both ways; those that stand keep theirs. Does nothing
   * over TCP.
   * @throws Error when the certificate is none or the key not its; the former ones stay then.
   */
  useTls(tls: Pick<TlsSettings, "ca" | "cert" | "key">): void;
  /** Ends the listener, all connections and flows; each is told as closed. Idempotent. */
  close(): Promise<void>;
}

/** Binds the listener. Rejects with the system's error (EADDRINUSE ...), or that of a certificate that is none. */
export async function openStreamTransport(options: StreamTransportOptions): Promise<StreamTransport> {
  const transport = new Transport(options);
  await transport.listen();
  return transport;
}

class Transport implements StreamTransport {
  readonly protocol: "TCP" | "TLS";
  readonly counters = newStreamCounters();
  readonly #options: StreamTransportOptions;
  readonly #server: Server;
  /** Makes TLS of connections that are let in; never listens itself. */
  readonly #handshakes: TlsServer | undefined;
  readonly #servers = new Map<string, ServerFlow>();
  /** Names that certificates must be for, by address. */
  readonly #names = new Map<string, string>();
  readonly #others = new FlowCache<ServerFlow>(256);
  readonly #active = new Set<ServerFlow>();
  readonly #accepted = new Set<Socket>();
  readonly #flows = new Set<ConnectionFlow>();
  readonly #perAddress = new Map<string, number>();
  #tls: TlsSettings | undefined;
  #context: StreamContext | undefined;
  #port = 0;
  #sequence = 0;
  #closed: Promise<void> | undefined;

  constructor(options: StreamTransportOptions) {
    this.#options = options;
    this.#tls = options.tls;
    this.protocol = options.tls ? "TLS" : "TCP";
    this.#server = createServer({ allowHalfOpen: false }, (socket) => this.#accept(socket));
    if (!options.tls) return;
    this.#handshakes = createTlsServer(listenerOptions(options.tls, this.#limits.connectMs));
    this.#handshakes.on("secureConnection", (socket) => this.#serve(socket));
    this.#handshakes.on("tlsClientError", (error, socket) => {
      this.counters.handshakeErrors++;
      options.log.warn({ err: error, remote: socket.remoteAddress }, "TLS of a connection to us failed");
      socket.destroy();
    });
  }

  get #limits() {
    return { ...defaultStreamLimits, ...this.#options.limits };
  }

  get port(): number {
    return this.#port;
  }

  get connections(): number {
    return this.#active.size + this.#accepted.size;
  }

  async listen(): Promise<void> {
    const { host, port, advertisedAddress, clock, random, receiver, log, pingSeconds } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port, exclusive: true }, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    this.#server.on("error", (error) => log.error({ err: error }, "SIP listener error"));
    const bound = this.#server.address();
    this.#port = typeof bound === "object" && bound ? bound.port : port;
    const sentBy = `${isIPv6(advertisedAddress) ? `[${advertisedAddress}]` : advertisedAddress}:${this.#port}`;
    const { protocol, counters } = this;
    this.#context = {
      protocol,
      counters,
      sentBy,
      receiver: {
        receive: (flow, bytes, framing) => {
          if (this.#mayTalk(flow)) receiver.receive(flow, bytes, framing);
        },
        flowClosed: (flow) => receiver.flowClosed(flow),
        flowInterrupted: (flow) => receiver.flowInterrupted?.(flow),
      },
      clock,
      random,
      log,
      pingSeconds,
      limits: this.#limits,
    };
  }

  serverFlow(address: string, port: number, name?: string): Flow {
    const key = `${address}|${port}`;
    if (name !== undefined && isIP(name) === 0) this.#names.set(address, name);
    const flow = this.#servers.get(key) ?? this.#make(key, address, port);
    flow.keep();
    this.#servers.set(key, flow);
    return flow;
  }

  useTls(renewed: Pick<TlsSettings, "ca" | "cert" | "key">): void {
    if (!this.#tls || !this.#handshakes) return;
    const tls = { ...this.#tls, ...renewed };
    this.#handshakes.setSecureContext(listenerOptions(tls, this.#limits.connectMs));
    this.#tls = tls;
  }

  /** As each datagram is: who may talk to us changes with the names of SIP Server. */
  #mayTalk(flow: Flow): boolean {
    if (this.#options.allow(flow.remoteAddress)) return true;
    this.counters.refusedByAddress++;
    if (flow instanceof ConnectionFlow) flow.close("address is none of SIP Server's any more");
    return false;
  }

  flowTo(address: string, port: number): Flow {
    const key = `${address}|${port}`;
    return this.#servers.get(key) ?? this.#others.take(key, () => this.#make(key, address, port));
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#handshakes?.removeAllListeners("secureConnection");
      for (const flow of [...this.#servers.values(), ...this.#others.drain(), ...this.#active])
        flow.close("transport closed");
      for (const flow of this.#flows) flow.close("transport closed");
      for (const socket of this.#accepted) socket.destroy();
    });
    return this.#closed;
  }

  #make(key: string, address: string, port: number): ServerFlow {
    const context = this.#context;
    if (!context) throw new Error("transport is not open");
    const target = { address, port, localAddress: this.#options.host };
    const connect = connector(
      { ...target, tls: () => this.#tls, name: () => this.#names.get(address) },
      context,
    );
    return new ServerFlow({
      id: `${this.protocol.toLowerCase()}:${this.#port}|${key}`,
      address,
      port,
      context,
      connect: (onConnected, onFailed) => {
        if (this.#active.size <= context.limits.connections) return connect(onConnected, onFailed);
        const timer = context.clock.setTimer(0, () => onFailed(new Error("too many connections")));
        return { abort: () => timer.clear() };
      },
      flowTo: (other, otherPort) => this.flowTo(other, otherPort),
      onActive: (flow, active) => (active ? this.#active.add(flow) : this.#active.delete(flow)),
    });
  }

  /** Before a byte is read, and before any TLS. */
  #accept(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress);
    const { connections, connectionsPerAddress } = this.#limits;
    const count = this.#perAddress.get(address) ?? 0;
    const allowed = this.#options.allow(address);
    if (!allowed || this.#accepted.size >= connections || count >= connectionsPerAddress || this.#closed) {
      if (allowed) this.counters.refusedByLimit++;
      else this.counters.refusedByAddress++;
      this.#options.log.debug({ remote: address, allowed }, "connection refused");
      socket.destroy();
      return;
    }
    this.#accepted.add(socket);
    this.#perAddress.set(address, count + 1);
    // Told by `close`, which follows, or by the handshake; without a listener it would end the process.
    socket.on("error", () => {});
    socket.once("close", () => this.#forget(socket, address));
    if (this.#handshakes) this.#handshakes.emit("connection", socket);
    else this.#serve(socket);
  }

  #serve(socket: Socket): void {
    const context = this.#context;
    const remote = { address: plainAddress(socket.remoteAddress), port: socket.remotePort ?? 0 };
    // Gone again while its TLS was being made.
    if (!context || this.#closed || remote.address === "") return void socket.destroy();
    this.counters.accepted++;
    const id = `${this.protocol.toLowerCase()}-in-${++this.#sequence}`;
    context.log.info({ flow: id, remote: remote.address }, "SIP Server has connected");
    const flowTo = (address: string, port: number): Flow => this.flowTo(address, port);
    const local = { address: plainAddress(socket.localAddress), port: socket.localPort ?? 0 };
    const flow: ConnectionFlow = new ConnectionFlow(id, socket, { remote, local }, context, flowTo, () =>
      this.#flows.delete(flow),
    );
    this.#flows.add(flow);
  }

  #forget(socket: Socket, address: string): void {
    this.#accepted.delete(socket);
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#perAddress.set(address, left);
    else this.#perAddress.delete(address);
  }
}

/** `::ffff:192.0.2.1` as `192.0.2.1`. */
function plainAddress(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:(?=.*\.)/i, "");
}
