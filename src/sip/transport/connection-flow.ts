import type { Socket } from "node:net";
import type { Flow } from "./flow.ts";
import { StreamConnection } from "./stream-connection.ts";
import type { StreamContext } from "./stream-options.ts";

interface End {
  readonly address: string;
  readonly port: number;
}

/** Both ends of a connection. */
export interface ConnectionEnds {
  readonly remote: End;
  readonly local: End;
}

/** One connection that SIP Server made to us. What it asked is answered by it, by another one once it is gone. */
export class ConnectionFlow implements Flow {
  readonly id: string;
  readonly side = "trunk";
  readonly reliable = true;
  readonly protocol: "TCP" | "TLS";
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly local: End;
  readonly sentBy: string;
  readonly #connection: StreamConnection;
  readonly #flowTo: (address: string, port: number) => Flow;
  #open = true;

  constructor(
    id: string,
    socket: Socket,
    { remote, local }: ConnectionEnds,
    context: StreamContext,
    flowTo: (address: string, port: number) => Flow,
    onClosed: () => void,
  ) {
    this.id = id;
    this.protocol = context.protocol;
    this.remoteAddress = remote.address;
    this.remotePort = remote.port;
    this.local = local;
    this.sentBy = context.sentBy;
    this.#flowTo = flowTo;
    const handlers = {
      onMessage: (bytes: Buffer): void => context.receiver.receive(this, bytes, "frame"),
      onClosed: (reason: string): void => {
        this.#open = false;
        context.log.info({ flow: id, remote: remote.address, reason }, "connection of SIP Server's closed");
        onClosed();
        context.receiver.flowClosed(this);
      },
    };
    this.#connection = new StreamConnection(socket, context, handlers, false);
  }

  get open(): boolean {
    return this.#open;
  }

  send(message: Buffer, onError?: (error: Error) => void): void {
    this.#connection.send(message, onError);
  }

  toPort(port: number): Flow {
    return this.#flowTo(this.remoteAddress, port);
  }

  close(reason: string): void {
    this.#connection.close(reason);
  }
}
