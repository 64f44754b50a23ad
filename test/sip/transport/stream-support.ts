import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import {
  connect as connectTls,
  createServer as createTlsServer,
  Server as TlsServer,
  type ConnectionOptions,
  type TLSSocket,
} from "node:tls";
import { silentLogger, systemRandom } from "../../../src/core/index.ts";
import {
  openStreamTransport,
  type Flow,
  type FlowReceiver,
  type StreamTransport,
  type StreamTransportOptions,
} from "../../../src/sip/index.ts";
import type { TestCertificate } from "../../support/certificates.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** A message that means nothing to the transport, with a body of `body`. */
export function message(startLine: string, body = ""): Buffer {
  return Buffer.from(`${startLine}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

/** Resolves when `condition` holds; the test's own time limit ends it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

export class Receiver implements FlowReceiver {
  readonly received: { flow: Flow; text: string }[] = [];
  readonly closed: string[] = [];
  readonly interrupted: string[] = [];
  onReceive: ((flow: Flow, text: string) => void) | undefined;

  receive(flow: Flow, bytes: Buffer): void {
    const text = bytes.toString();
    this.received.push({ flow, text });
    this.onReceive?.(flow, text);
  }

  flowClosed(flow: Flow): void {
    this.closed.push(flow.id);
  }

  flowInterrupted(flow: Flow): void {
    this.interrupted.push(flow.id);
  }
}

/** A far end that takes connections and keeps what comes by each. */
export class FarEnd {
  readonly connections: { socket: Socket; text: string }[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on("tlsClientError", () => {});
    server.on(server instanceof TlsServer ? "secureConnection" : "connection", (socket: Socket) => {
      const connection = { socket, text: "" };
      this.connections.push(connection);
      socket.on("error", () => {});
      socket.on("data", (chunk: Buffer) => (connection.text += chunk.toString()));
    });
  }

  static async open(port = 0, tls?: TestCertificate & { readonly ca?: string }): Promise<FarEnd> {
    const server = tls
      ? createTlsServer({ cert: tls.cert, key: tls.key, ca: tls.ca, requestCert: tls.ca !== undefined })
      : createServer();
    const end = new FarEnd(server);
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return end;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get text(): string {
    return this.connections.map(({ text }) => text).join("|");
  }

  /** Cuts every connection with a RST. */
  cut(): void {
    for (const { socket } of this.connections) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const { socket } of this.connections) socket.destroy();
    await closed;
  }
}

/** A transport on a fake clock, its receiver, and all that is to be closed after a test. */
export class Bench {
  readonly clock = new FakeClock();
  readonly receiver = new Receiver();
  readonly #cleanUp: (() => Promise<void> | void)[] = [];

  async open(options: Partial<StreamTransportOptions> = {}): Promise<StreamTransport> {
    const transport = await openStreamTransport({
      host: "127.0.0.1",
      port: 0,
      advertisedAddress: "192.0.2.20",
      receiver: this.receiver,
      allow: () => true,
      clock: this.clock,
      random: { bytes: (length) => systemRandom.bytes(length), fraction: () => 0.5 },
      log: silentLogger,
      pingSeconds: 30,
      ...options,
    });
    this.#cleanUp.push(() => transport.close());
    return transport;
  }

  async farEnd(port = 0, tls?: TestCertificate & { readonly ca?: string }): Promise<FarEnd> {
    const end = await FarEnd.open(port, tls);
    this.#cleanUp.push(() => end.close());
    return end;
  }

  /** A connection of SIP Server's to us, and the text that comes by it. */
  async dial(port: number): Promise<{ socket: Socket; text: () => string; closed: Promise<unknown> }> {
    const socket = connect(port, "127.0.0.1");
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await once(socket, "connect");
    return this.#watch(socket, closed);
  }

  async dialTls(
    port: number,
    ca: string,
    own?: TestCertificate,
    more: ConnectionOptions = {},
  ): Promise<{ socket: TLSSocket; closed: Promise<unknown> }> {
    const socket = connectTls({
      port,
      host: "127.0.0.1",
      ca,
      ...(own ? { cert: own.cert, key: own.key } : {}),
      ...more,
    });
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await once(socket, "secureConnect");
    this.#watch(socket, closed);
    return { socket, closed };
  }

  #watch(socket: Socket, closed: Promise<unknown>) {
    let text = "";
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    this.#cleanUp.push(() => void socket.destroy());
    return { socket, text: () => text, closed };
  }

  async close(): Promise<void> {
    for (const close of this.#cleanUp.splice(0)) await close();
  }
}
