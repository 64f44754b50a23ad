/** One RTP packet (RFC 3550 5.1). */
export interface RtpPacket {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Buffer;
}

/** Undefined for what is no RTP version 2 packet, and for RTCP that strayed here. */
export function parseRtp(datagram: Buffer): RtpPacket | undefined {
  if (datagram.length < 12) return undefined;
  const first = datagram.readUInt8(0);
  const second = datagram.readUInt8(1);
  if (first >> 6 !== 2 || (second >= 192 && second <= 223)) return undefined;
  let start = 12 + (first & 0x0f) * 4;
  if (first & 0x10) {
    if (datagram.length < start + 4) return undefined;
    start += 4 + datagram.readUInt16BE(start + 2) * 4;
  }
  const padding = first & 0x20 ? datagram.readUInt8(datagram.length - 1) : 0;
  const end = datagram.length - padding;
  if (end < start) return undefined;
  return {
    payloadType: second & 0x7f,
    marker: (second & 0x80) !== 0,
    sequence: datagram.readUInt16BE(2),
    timestamp: datagram.readUInt32BE(4),
    ssrc: datagram.readUInt32BE(8),
    payload: datagram.subarray(start, end),
  };
}

export function writeRtp(packet: RtpPacket): Buffer {
  const datagram = Buffer.allocUnsafe(12 + packet.payload.length);
  datagram.writeUInt8(0x80, 0);
  datagram.writeUInt8((packet.marker ? 0x80 : 0) | packet.payloadType, 1);
  datagram.writeUInt16BE(packet.sequence & 0xffff, 2);
  datagram.writeUInt32BE(packet.timestamp >>> 0, 4);
  datagram.writeUInt32BE(packet.ssrc >>> 0, 8);
  packet.payload.copy(datagram, 12);
  return datagram;
}

/** Characters of RFC 4733 events 0-15. */
export const eventDigits = "0123456789*#ABCD";

/** Payload of a telephone event (RFC 4733 2.3): volume -10 dBm0, `duration` in clock ticks. */
export function eventPayload(digit: string, end: boolean, duration: number): Buffer {
  return Buffer.from([
    eventDigits.indexOf(digit),
    (end ? 0x80 : 0) | 10,
    (duration >> 8) & 0xff,
    duration & 0xff,
  ]);
}
