import type { Flow } from "./flow.ts";

/** What the flows of one socket need of it. */
export interface UdpSender {
  readonly sentBy: string;
  readonly open: boolean;
  flowTo(address: string, port: number): Flow;
  send(message: Buffer, address: string, port: number, onError?: (error: Error) => void): void;
}

/** The socket with one remote address; two objects for the same remote have an equal `id`. */
export class UdpFlow implements Flow {
  readonly id: string;
  readonly protocol = "UDP";
  readonly side = "trunk";
  readonly reliable = false;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #sender: UdpSender;

  constructor(sender: UdpSender, id: string, address: string, port: number) {
    this.#sender = sender;
    this.id = id;
    this.remoteAddress = address;
    this.remotePort = port;
  }

  get sentBy(): string {
    return this.#sender.sentBy;
  }

  get open(): boolean {
    return this.#sender.open;
  }

  send(message: Buffer, onError?: (error: Error) => void): void {
    this.#sender.send(message, this.remoteAddress, this.remotePort, onError);
  }

  toPort(port: number): Flow {
    return port === this.remotePort ? this : this.#sender.flowTo(this.remoteAddress, port);
  }
}
