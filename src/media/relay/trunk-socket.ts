import { createSocket, type Socket } from "node:dgram";
import type { Logger } from "../../core/index.ts";

/** Gets each datagram; the memory is the receiver's until the call returns. */
export type OnDatagram = (packet: Buffer, length: number, address: string, port: number) => void;

/** The even/odd pair of sockets toward SIP Server of one session. */
export interface TrunkSocket {
  /** Even port, RTP; RTCP is on `port + 1`. */
  readonly port: number;
  onRtp: OnDatagram;
  onRtcp: OnDatagram;
  /** Sends `packet[0, length)`, which may be used again at once. False: the system takes no more, or closed. */
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

/**
 * Binds both ports of the pair; rejects with the system's error when either is taken. `onRead` is told of each RTP
 * datagram before it is handed on.
 */
export async function openTrunkSocket(
  host: string,
  port: number,
  log: Logger,
  onRead?: () => void,
): Promise<TrunkSocket> {
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
  return new DgramTrunkSocket(rtp, rtcp, port, log, onRead);
}

function bind(socket: Socket, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays: an error between this and the listener of the pair would end the worker.
    socket.on("error", reject);
    socket.bind(port, host, resolve);
  });
}

class DgramTrunkSocket implements TrunkSocket {
  readonly port: number;
  onRtp: OnDatagram = () => {};
  onRtcp: OnDatagram = () => {};
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  #closing: Promise<void> | undefined;
  #errorLogged = false;

  constructor(rtp: Socket, rtcp: Socket, port: number, log: Logger, onRead: (() => void) | undefined) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.port = port;
    rtp.on("message", (packet, from) => {
      onRead?.();
      this.onRtp(packet, packet.length, from.address, from.port);
    });
    rtcp.on("message", (packet, from) => this.onRtcp(packet, packet.length, from.address, from.port));
    // ICMP refusals and unreachable networks end here; the far end may be back with the next packet.
    const onError = (error: Error): void => {
      if (!this.#errorLogged) log.warn({ err: error, port }, "RTP socket error");
      this.#errorLogged = true;
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
    // The system takes a datagram within the call, unless its buffer is full: then one waits, and what comes after it
    // is dropped, as late sound is worth nothing. Node keeps no copy, but only this call's own memory can wait.
    if (this.#closing || socket.getSendQueueCount() > 0) return false;
    socket.send(length === packet.length ? packet : packet.subarray(0, length), port, address);
    return true;
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
