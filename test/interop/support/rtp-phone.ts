import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

/** One RTP packet that came to a far phone. */
export interface HeardPacket {
  readonly at: number;
  readonly payloadType: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Buffer;
}

/** A far phone's RTP socket on loopback; reads and writes its packets by itself, not through src. */
export class RtpPhone {
  readonly heard: HeardPacket[] = [];
  /** The same datagrams as they came. */
  readonly raw: Buffer[] = [];
  /** The gateway's RTP port, for `send`. */
  remotePort = 0;
  readonly #socket: Socket;
  readonly #ssrc = Math.floor(performance.now() * 1000) >>> 0;
  #sequence = 1000;
  #timestamp = 160_000;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (packet) => this.#receive(packet));
  }

  static async open(address = "127.0.0.1"): Promise<RtpPhone> {
    const socket = createSocket("udp4");
    socket.bind(0, address);
    await once(socket, "listening");
    return new RtpPhone(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  #receive(packet: Buffer): void {
    if (packet.length < 12) return;
    this.raw.push(packet);
    this.heard.push({
      at: performance.now(),
      payloadType: packet.readUInt8(1) & 0x7f,
      sequence: packet.readUInt16BE(2),
      timestamp: packet.readUInt32BE(4),
      ssrc: packet.readUInt32BE(8),
      payload: Buffer.from(packet.subarray(12)),
    });
  }

  /** Sends the next 20 ms of sound. Returns the datagram. */
  send(payload: Buffer, payloadType = 0): Buffer {
    const packet = Buffer.alloc(12 + payload.length);
    packet.writeUInt8(0x80, 0);
    packet.writeUInt8(payloadType, 1);
    packet.writeUInt16BE(this.#sequence++ & 0xffff, 2);
    packet.writeUInt32BE(this.#timestamp >>> 0, 4);
    packet.writeUInt32BE(this.#ssrc, 8);
    payload.copy(packet, 12);
    this.#timestamp += 160;
    this.#socket.send(packet, this.remotePort, "127.0.0.1");
    return packet;
  }

  /** Sends bytes as they are. */
  sendRaw(bytes: Buffer): void {
    this.#socket.send(bytes, this.remotePort, "127.0.0.1");
  }

  async close(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, "close");
  }
}

/** Calls `send` with 0, 1, 2 ... every 20 ms, `count` times, without drift. */
export async function paced(count: number, send: (index: number) => void): Promise<void> {
  const begin = performance.now();
  for (let index = 0; index < count; index++) {
    send(index);
    const wait = begin + (index + 1) * 20 - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

/** Resolves when `done` holds; rejects with `what` after `patienceMs`, which is long: a machine may have much else to do. */
export async function until(what: string, done: () => boolean, patienceMs = 20_000): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!done()) {
    if (performance.now() > end) throw new Error(`${what}: did not come about within ${patienceMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
