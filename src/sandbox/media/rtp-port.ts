import { createSocket, type Socket } from "node:dgram";
import type { Logger } from "../../core/index.ts";

const attempts = 50;

/** An even RTP port and the odd RTCP port above it, both from the system's free ones. */
export class RtpPort {
  readonly host: string;
  readonly port: number;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  #closed = false;
  /** Takes each RTP datagram. */
  onRtp: ((datagram: Buffer, address: string, port: number) => void) | undefined;
  /** RTCP datagrams that came; they are counted, not read. */
  rtcpReceived = 0;

  private constructor(host: string, rtp: Socket, rtcp: Socket, log: Logger) {
    this.host = host;
    this.port = rtp.address().port;
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    rtp.on("message", (datagram, from) => this.onRtp?.(datagram, from.address, from.port));
    rtcp.on("message", () => this.rtcpReceived++);
    for (const socket of [rtp, rtcp]) socket.on("error", (error) => log.warn({ err: error }, "RTP socket"));
  }

  /** Rejects when the host cannot be bound or no free pair was found. */
  static async open(host: string, log: Logger): Promise<RtpPort> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const rtp = await bind(host, 0);
      const { port } = rtp.address();
      const rtcp = port % 2 === 0 ? await bind(host, port + 1).catch(() => undefined) : undefined;
      if (rtcp) return new RtpPort(host, rtp, rtcp, log);
      rtp.close();
    }
    throw new Error(`no free RTP port pair on ${host}`);
  }

  send(datagram: Buffer, port: number, address: string): void {
    // What cannot be sent is lost, as on any network.
    if (!this.#closed) this.#rtp.send(datagram, port, address, () => {});
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onRtp = undefined;
    this.#rtp.close();
    this.#rtcp.close();
  }
}

async function bind(host: string, port: number): Promise<Socket> {
  const socket = createSocket("udp4");
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind(port, host, () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}
