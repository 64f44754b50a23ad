import type { Random } from "../../core/index.ts";
import { rtpHeaderLength, writeRtpHeader } from "./packet.ts";

/** Internal time unit of the relay: positions count samples at 8 kHz. */
export const positionRate = 8000;

/**
 * The one continuous line of RTP we send toward a side: its SSRC never changes, sequence numbers rise by one
 * per packet, timestamps follow positions (8 kHz samples), also over a change of clock rate in the middle.
 */
export class SendLine {
  readonly ssrc: number;
  packets = 0;
  /** Payload bytes, as sender reports count them. */
  octets = 0;
  #sequence: number;
  #clockRate = positionRate;
  #anchorPosition = 0;
  #anchorTimestamp: number;
  #lastTimestamp = 0;
  #lastAt = 0;

  constructor(ssrc: number, random: Random) {
    const start = random.bytes(6);
    this.ssrc = ssrc;
    // Below 2^15, so that no wrap comes in the first packets (RFC 3711 3.3.1 advises it for SRTP).
    this.#sequence = start.readUInt16BE(0) & 0x7fff;
    this.#anchorTimestamp = start.readUInt32BE(2);
  }

  get clockRate(): number {
    return this.#clockRate;
  }

  /** Changes the clock rate from `position` on; what is sent there carries on without a jump. */
  setClockRate(clockRate: number, position: number): void {
    if (clockRate === this.#clockRate) return;
    this.#anchorTimestamp = this.timestampAt(position);
    this.#anchorPosition = position;
    this.#clockRate = clockRate;
  }

  /** RTP timestamp of a position. */
  timestampAt(position: number): number {
    const ticks = Math.round(((position - this.#anchorPosition) * this.#clockRate) / positionRate);
    return (this.#anchorTimestamp + ticks) >>> 0;
  }

  /** Writes the header of the next packet, `length` bytes long in all, and counts it as sent. */
  stamp(
    packet: Uint8Array,
    length: number,
    payloadType: number,
    marker: boolean,
    position: number,
    now: number,
  ): void {
    this.#lastTimestamp = this.timestampAt(position);
    this.#lastAt = now;
    writeRtpHeader(packet, payloadType, marker, this.#sequence, this.#lastTimestamp, this.ssrc);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.packets++;
    this.octets += length - rtpHeaderLength;
  }

  /** Leaves out `packets` sequence numbers, so that the receiver sees the loss that we saw and can conceal it. */
  skip(packets: number): void {
    this.#sequence = (this.#sequence + packets) & 0xffff;
  }

  /** RTP timestamp of this very moment, for sender reports (RFC 3550 6.4.1). */
  timestampNow(now: number): number {
    return (this.#lastTimestamp + Math.round(((now - this.#lastAt) * this.#clockRate) / 1000)) >>> 0;
  }
}
