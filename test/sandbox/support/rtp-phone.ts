import { createSocket, type Socket } from "node:dgram";

export interface Got {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Buffer;
  readonly port: number;
}

/** An RTP socket of the test's own writing: reads and writes the twelve bytes by hand. */
export class RtpPhone {
  readonly #socket: Socket;
  readonly got: Got[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (bytes, from) =>
      this.got.push({
        payloadType: (bytes[1] ?? 0) & 0x7f,
        marker: ((bytes[1] ?? 0) & 0x80) > 0,
        sequence: bytes.readUInt16BE(2),
        timestamp: bytes.readUInt32BE(4),
        ssrc: bytes.readUInt32BE(8),
        payload: Buffer.from(bytes.subarray(12)),
        port: from.port,
      }),
    );
  }

  static async open(): Promise<RtpPhone> {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    return new RtpPhone(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  send(
    to: number,
    packet: {
      payloadType: number;
      marker?: boolean;
      sequence: number;
      timestamp: number;
      ssrc?: number;
      payload: Buffer;
    },
  ): void {
    const head = Buffer.from([
      0x80,
      (packet.marker ? 0x80 : 0) | packet.payloadType,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
    ]);
    head.writeUInt16BE(packet.sequence, 2);
    head.writeUInt32BE(packet.timestamp, 4);
    head.writeUInt32BE(packet.ssrc ?? 7, 8);
    this.#socket.send(Buffer.concat([head, packet.payload]), to, "127.0.0.1");
  }

  close(): void {
    this.#socket.close();
  }
}

/** The port of the first audio line of a description. */
export function portOf(sdp: string): number {
  return Number(/m=audio (\d+)/.exec(sdp)?.[1]);
}
