/** Fixed part of an RTP header (RFC 3550 5.1), bytes. */
const fixedHeaderBytes = 12;

/** Header of an RTCP packet that SRTCP leaves in the clear (RFC 3711 3.4), bytes. */
export const rtcpHeaderBytes = 8;

/**
 * Length of the RTP header in `packet[0, length)`: fixed part, CSRCs and extension (RFC 3550 5.1, 5.3.1).
 * -1 if it is not version 2 or does not fit.
 */
export function rtpHeaderBytes(packet: Uint8Array, length: number): number {
  if (length < fixedHeaderBytes || packet.length < length) return -1;
  const first = packet[0] ?? 0;
  if (first >>> 6 !== 2) return -1;
  let header = fixedHeaderBytes + 4 * (first & 0x0f);
  if (first & 0x10) {
    if (header + 4 > length) return -1;
    header += 4 + 4 * (((packet[header + 2] ?? 0) << 8) | (packet[header + 3] ?? 0));
  }
  return header > length ? -1 : header;
}

/** Four bytes big-endian at `offset`, unsigned; the caller has checked that they are there. */
export function readWord(data: Uint8Array, offset: number): number {
  return (
    (((data[offset] ?? 0) << 24) |
      ((data[offset + 1] ?? 0) << 16) |
      ((data[offset + 2] ?? 0) << 8) |
      (data[offset + 3] ?? 0)) >>>
    0
  );
}

export function writeWord(data: Uint8Array, offset: number, word: number): void {
  data[offset] = word >>> 24;
  data[offset + 1] = word >>> 16;
  data[offset + 2] = word >>> 8;
  data[offset + 3] = word;
}
