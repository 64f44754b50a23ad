import { rtcpKept, rtpKept } from "./cut.ts";
import type { PacketCapture } from "./packet-capture.ts";
import { ipv4Number } from "./pcap.ts";

/**
 * Sees the packets of one side, before encryption and after decryption. `packet[0, length)` is lent for the call;
 * `address` and `port` are the far end's. Never throws.
 */
export interface PacketTap {
  rtp(sent: boolean, packet: Buffer, length: number, address: string, port: number): void;
  rtcp(sent: boolean, packet: Buffer, length: number, address: string, port: number): void;
}

/** Our end of one side: IPv4 address as a number, ports. */
export interface LocalEnd {
  readonly address: number;
  readonly rtpPort: number;
  readonly rtcpPort: number;
}

/** One side's way into a capture. */
export class SideTap implements PacketTap {
  readonly #capture: PacketCapture;
  readonly #local: LocalEnd;
  readonly #payload: boolean;

  constructor(capture: PacketCapture, local: LocalEnd, payload: boolean) {
    this.#capture = capture;
    this.#local = local;
    this.#payload = payload;
  }

  rtp(sent: boolean, packet: Buffer, length: number, address: string, port: number): void {
    const kept = this.#payload ? length : rtpKept(packet, length);
    this.#put(sent, this.#local.rtpPort, packet, length, kept, address, port);
  }

  rtcp(sent: boolean, packet: Buffer, length: number, address: string, port: number): void {
    const kept = this.#payload ? length : rtcpKept(packet, length);
    this.#put(sent, this.#local.rtcpPort, packet, length, kept, address, port);
  }

  #put(
    sent: boolean,
    localPort: number,
    packet: Buffer,
    length: number,
    kept: number,
    address: string,
    port: number,
  ): void {
    const far = ipv4Number(address);
    if (far < 0) return this.#capture.leaveOut();
    const { address: local } = this.#local;
    if (sent) this.#capture.put(local, localPort, far, port, packet, length, kept);
    else this.#capture.put(far, port, local, localPort, packet, length, kept);
  }
}
