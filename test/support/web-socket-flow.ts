import { once } from "node:events";
import { WebSocket } from "ws";
import type { Flow, FlowReceiver } from "../../src/sip/index.ts";

let counter = 0;

/** A client's SIP over WebSocket connection, as a flow for the client's own stack. */
export class ClientFlow implements Flow {
  readonly id = `client-${counter++}`;
  readonly protocol = "WS";
  readonly side = "browser";
  readonly reliable = true;
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort: number;
  readonly sentBy = `t${counter}.invalid`;
  readonly #socket: WebSocket;
  readonly closed: Promise<void>;
  /** Close code (RFC 6455 7.4) once it is closed. */
  closeCode: number | undefined;

  private constructor(socket: WebSocket, port: number, receiver: FlowReceiver) {
    this.#socket = socket;
    this.remotePort = port;
    socket.on("message", (data: Buffer) => receiver.receive(this, data, "frame"));
    this.closed = new Promise((resolve) => {
      socket.on("close", (code) => {
        this.closeCode = code;
        receiver.flowClosed(this);
        resolve();
      });
    });
  }

  static async open(url: string, origin: string, receiver: FlowReceiver): Promise<ClientFlow> {
    // A gateway of a test's own, by whichever certificate.
    const socket = new WebSocket(url, "sip", { origin, rejectUnauthorized: false });
    const flow = new ClientFlow(socket, Number(new URL(url).port), receiver);
    await once(socket, "open");
    socket.on("error", () => {});
    return flow;
  }

  get open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  send(message: Buffer, onError?: (error: Error) => void): void {
    this.#socket.send(message.toString("utf8"), (error) => {
      if (error) onError?.(error);
    });
  }

  /** Cuts the connection without a closing handshake, as a lost network does. */
  cut(): void {
    this.#socket.terminate();
  }

  close(): void {
    this.#socket.close();
  }
}
