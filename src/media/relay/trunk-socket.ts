import { createSocket, type Socket } from "node:dgram";
import type { Logger } from "../../core/index.ts";
import { rtpHeaderLength } from "../rtp/packet.ts";
import { frameSamples } from "./frame-sink.ts";

/** Gets each datagram; the memory is the receiver's until the call returns. */
export type OnDatagram = (packet: Buffer, length: number, address: string, port: number) => void;

/** The even/odd pair of sockets toward SIP Server of one session. */
export interface TrunkSocket {
  /** Even port, RTP; RTCP is on `port + 1`. */
  readonly port: number;
  onRtp: OnDatagram;
  onRtcp: OnDatagram;
  /** Datagrams the system refused to send. */
  readonly sendErrors: number;
  /** Sends `packet[0, length)`, which may be used again at once. */
  sendRtp(packet: Buffer, length: number, port: number, address: string): boolean;
  sendRtcp(packet: Buffer, length: number, port: number, address: string): boolean;
  /** Resolves when both ports are free again. Idempotent. */
  close(): Promise<void>;
}

type Lookup = (
  host: string,
  options: unknown,
  callback: (error: Error | null, address: string, family: number) => void,
) => void;

/** Addresses in SDP are IPv4 literals: answer at once instead of asking the resolver's threads per packet. */
const literalLookup: Lookup = (host, _options, callback) => callback(null, host, 4);

const framePacketLength = rtpHeaderLength + frameSamples;
/** Packets that may wait in a full socket at once before their memory is used again. */
const slots = 64;

/** Memory for packets handed to the kernel, shared by all sockets of a thread: sending is not always done at once. */
class SendRing {
  readonly #frames = Array.from({ length: slots }, () => Buffer.alloc(framePacketLength));
  #next = 0;

  /** A copy of `packet[0, length)`; whole-frame packets, nearly all, cost no allocation. */
  copy(packet: Buffer, length: number): Buffer {
    if (length !== framePacketLength) return Buffer.from(packet.subarray(0, length));
    const slot = this.#frames[this.#next++ % slots] ?? Buffer.alloc(framePacketLength);
    packet.copy(slot, 0, 0, length);
    return slot;
  }
}

const ring = new SendRing();

/** Binds both ports of the pair; rejects with the system's error when either is taken. */
export async function openTrunkSocket(host: string, port: number, log: Logger): Promise<TrunkSocket> {
  const rtp = createSocket({ type: "udp4", lookup: literalLookup });
  const rtcp = createSocket({ type: "udp4", lookup: literalLookup });
  try {
    await bind(rtp, host, port);
    await bind(rtcp, host, port + 1);
  } catch (error) {
    rtp.close();
    rtcp.close();
    throw error;
  }
  return new DgramTrunkSocket(rtp, rtcp, port, log);
}

function bind(socket: Socket, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(port, host, () => {
      socket.off("error", reject);
      resolve();
    });
  });
}

class DgramTrunkSocket implements TrunkSocket {
  readonly port: number;
  onRtp: OnDatagram = () => {};
  onRtcp: OnDatagram = () => {};
  sendErrors = 0;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  #closing: Promise<void> | undefined;

  constructor(rtp: Socket, rtcp: Socket, port: number, log: Logger) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.port = port;
    rtp.on("message", (packet, from) => this.onRtp(packet, packet.length, from.address, from.port));
    rtcp.on("message", (packet, from) => this.onRtcp(packet, packet.length, from.address, from.port));
    // ICMP refusals and unreachable networks end here; the far end may be back with the next packet.
    const onError = (error: Error): void => {
      if (this.sendErrors++ === 0) log.warn({ err: error, port }, "RTP socket error");
    };
    rtp.on("error", onError);
    rtcp.on("error", onError);
  }

  sendRtp(packet: Buffer, length: number, port: number, address: string): boolean {
    return this.#send(this.#rtp, packet, length, port, address);
  }

  sendRtcp(packet: Buffer, length: number, port: number, address: string): boolean {
    return this.#send(this.#rtcp, packet, length, port, address);
  }

  close(): Promise<void> {
    this.onRtp = () => {};
    this.onRtcp = () => {};
    this.#closing ??= Promise.all([closed(this.#rtp), closed(this.#rtcp)]).then(() => undefined);
    return this.#closing;
  }

  #send(socket: Socket, packet: Buffer, length: number, port: number, address: string): boolean {
    if (this.#closing) return false;
    socket.send(ring.copy(packet, length), port, address);
    return true;
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
