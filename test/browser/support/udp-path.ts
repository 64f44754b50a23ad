import { createSocket, type Socket } from "node:dgram";

/**
 * The path between a browser and the gateway's media port, as a NAT is one: each of the browser's ports gets a port of
 * its own toward the gateway. It can get another (`rebind`), be cut off for good (`cut`), or let nothing through for a
 * while (`blocked`).
 */
export class UdpPath {
  /** Nothing passes, either way. */
  blocked = false;
  readonly #front: Socket;
  readonly #target: number;
  readonly #upstream = new Map<number, Socket>();
  readonly #cut = new Set<number>();

  private constructor(front: Socket, target: number) {
    this.#front = front;
    this.#target = target;
    front.on("message", (packet, { port }) => this.#up(packet, port));
  }

  static async open(target: number): Promise<UdpPath> {
    const front = createSocket("udp4");
    await new Promise<void>((resolve) => front.bind(0, "127.0.0.1", resolve));
    return new UdpPath(front, target);
  }

  get port(): number {
    return this.#front.address().port;
  }

  /** Browser ports seen so far. */
  get browserPorts(): readonly number[] {
    return [...this.#upstream.keys(), ...this.#cut];
  }

  /** Each browser port comes from another port from now on. */
  rebind(): void {
    for (const socket of this.#upstream.values()) socket.close();
    this.#upstream.clear();
  }

  /** The network the browser is in now is no more; ports it opens later are in another. */
  cut(): void {
    for (const port of this.#upstream.keys()) this.#cut.add(port);
    this.rebind();
  }

  #up(packet: Buffer, port: number): void {
    if (this.blocked || this.#cut.has(port)) return;
    let socket = this.#upstream.get(port);
    if (socket === undefined) {
      socket = createSocket("udp4");
      this.#upstream.set(port, socket);
      socket.on("message", (answer) => {
        if (!this.blocked) this.#front.send(answer, port, "127.0.0.1");
      });
    }
    socket.send(packet, this.#target, "127.0.0.1");
  }

  close(): void {
    this.rebind();
    this.#front.close();
  }
}
