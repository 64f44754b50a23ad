import { readUint16, rtpHeaderBytes, rtpHeaderLength } from "../rtp/packet.ts";

/** Header and SSRC: what stands first in every RTCP packet (RFC 3550 6.4). */
const rtcpStart = 8;

/**
 * Bytes of `packet[0, length)` that are RTP header: what a capture without payload keeps. Of a header that does not
 * fit only the fixed part, of what is no RTP nothing: the rest could be anything.
 */
export function rtpKept(packet: Uint8Array, length: number): number {
  const header = rtpHeaderBytes(packet, length);
  if (header >= 0) return header;
  return length >= rtpHeaderLength && (packet[0] ?? 0) >>> 6 === 2 ? rtpHeaderLength : 0;
}

/**
 * Bytes of `packet[0, length)` to keep on an RTCP port: all of a well-formed compound, which holds no sound; of
 * anything else no more than an RTCP header, as some send RTP there.
 */
export function rtcpKept(packet: Uint8Array, length: number): number {
  let at = 0;
  while (at + 4 <= length) {
    const type = packet[at + 1] ?? 0;
    if ((packet[at] ?? 0) >>> 6 !== 2 || type < 192 || type > 223) break;
    at += 4 + readUint16(packet, at + 2) * 4;
  }
  return at === length && length > 0 ? length : Math.min(rtcpStart, length);
}
