/** Bytes of the fixed RTP header (RFC 3550 5.1), all we ever send: no CSRC, no extension. */
export const rtpHeaderLength = 12;

/** Largest RTP datagram taken in, bytes: an Ethernet frame's worth; anything longer is no voice packet. */
export const maxRtpLength = 1500;

/** Where things are in one received packet. One object is filled again and again: nothing is allocated. */
export interface RtpHeader {
  payloadType: number;
  marker: boolean;
  sequence: number;
  timestamp: number;
  ssrc: number;
  payloadOffset: number;
  payloadLength: number;
}

export function emptyRtpHeader(): RtpHeader {
  return {
    payloadType: 0,
    marker: false,
    sequence: 0,
    timestamp: 0,
    ssrc: 0,
    payloadOffset: 0,
    payloadLength: 0,
  };
}

/** Big-endian 32-bit number at `offset`, unsigned. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return (
    (((bytes[offset] ?? 0) << 24) |
      ((bytes[offset + 1] ?? 0) << 16) |
      ((bytes[offset + 2] ?? 0) << 8) |
      (bytes[offset + 3] ?? 0)) >>>
    0
  );
}

/** Big-endian 16-bit number at `offset`, unsigned. */
export function readUint16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}

export function writeUint16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 8;
  bytes[offset + 1] = value;
}

export function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}

/**
 * Length of the header of `packet[0, length)`: fixed part, CSRCs and extension (RFC 3550 5.1, 5.3.1). -1 if it is not
 * version 2 or does not fit.
 */
export function rtpHeaderBytes(packet: Uint8Array, length: number): number {
  const first = packet[0] ?? 0;
  if (length < rtpHeaderLength || length > packet.length || first >>> 6 !== 2) return -1;
  let header = rtpHeaderLength + (first & 0x0f) * 4;
  if (first & 0x10) {
    if (header + 4 > length) return -1;
    header += 4 + readUint16(packet, header + 2) * 4;
  }
  return header > length ? -1 : header;
}

/**
 * Reads the header of `packet`, whose first `length` bytes were received, into `header` (RFC 3550 5.1, A.1).
 * Returns false when it is no well-formed RTP packet: too short or long, wrong version, CSRC list, extension
 * or padding that do not fit.
 */
export function readRtp(packet: Uint8Array, length: number, header: RtpHeader): boolean {
  const offset = rtpHeaderBytes(packet, length);
  if (offset < 0 || length > maxRtpLength) return false;
  let end = length;
  if ((packet[0] ?? 0) & 0x20) {
    const padding = packet[length - 1] ?? 0;
    if (padding === 0) return false;
    end -= padding;
  }
  if (offset > end) return false;
  const second = packet[1] ?? 0;
  header.marker = second >= 0x80;
  header.payloadType = second & 0x7f;
  header.sequence = readUint16(packet, 2);
  header.timestamp = readUint32(packet, 4);
  header.ssrc = readUint32(packet, 8);
  header.payloadOffset = offset;
  header.payloadLength = end - offset;
  return true;
}

/** Writes a plain 12-byte RTP header at the start of `packet`. */
export function writeRtpHeader(
  packet: Uint8Array,
  payloadType: number,
  marker: boolean,
  sequence: number,
  timestamp: number,
  ssrc: number,
): void {
  packet[0] = 0x80;
  packet[1] = marker ? payloadType | 0x80 : payloadType;
  writeUint16(packet, 2, sequence);
  writeUint32(packet, 4, timestamp);
  writeUint32(packet, 8, ssrc);
}

/** `later - earlier` of two 32-bit RTP timestamps as a signed number (they wrap). */
export function timestampDistance(later: number, earlier: number): number {
  return (later - earlier) | 0;
}
