/** One packet of a capture, as this reader sees it: written from the formats, not from the code under test. */
export interface CapturedPacket {
  /** Microseconds since 1970. */
  readonly time: number;
  /** `address:port` */
  readonly from: string;
  readonly to: string;
  /** The UDP payload, as far as it is in the file. */
  readonly data: Buffer;
  /** Bytes it had on the wire. */
  readonly length: number;
  readonly udpChecksum: "right" | "none";
}

/** Reads a classic little-endian pcap of raw IPv4 and UDP; throws where a length or a checksum is not right. */
export function readPcap(file: Buffer): CapturedPacket[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const head = [
    view.getUint32(0, true),
    view.getUint16(4, true),
    view.getUint16(6, true),
    view.getUint32(20, true),
  ];
  if (head.join() !== [0xa1b2c3d4, 2, 4, 101].join()) throw new Error(`pcap header: ${head.join()}`);
  const snap = view.getUint32(16, true);
  const packets: CapturedPacket[] = [];
  for (let at = 24; at < file.length;) {
    const captured = view.getUint32(at + 8, true);
    const original = view.getUint32(at + 12, true);
    if (captured > original || captured > snap || at + 16 + captured > file.length)
      throw new Error(`record at ${at}: ${captured} of ${original}`);
    const time = view.getUint32(at, true) * 1_000_000 + view.getUint32(at + 4, true);
    packets.push(readIp(file.subarray(at + 16, at + 16 + captured), original, time));
    at += 16 + captured;
  }
  return packets;
}

function readIp(ip: Buffer, original: number, time: number): CapturedPacket {
  if (ip[0] !== 0x45 || ip[9] !== 17) throw new Error("not IPv4 with UDP");
  if (ip.readUInt16BE(2) !== original) throw new Error("IP length");
  if (words(ip.subarray(0, 20)) !== 0xffff) throw new Error("IP checksum");
  const udp = ip.subarray(20);
  const length = udp.readUInt16BE(4) - 8;
  if (length + 28 !== original) throw new Error("UDP length");
  const checksum = udp.readUInt16BE(6);
  if (checksum !== 0) {
    const pseudo = Buffer.alloc(12);
    ip.copy(pseudo, 0, 12, 20);
    pseudo.writeUInt16BE(17, 8);
    pseudo.writeUInt16BE(length + 8, 10);
    if (words(Buffer.concat([pseudo, udp])) !== 0xffff) throw new Error("UDP checksum");
  }
  return {
    time,
    from: `${ip.subarray(12, 16).join(".")}:${udp.readUInt16BE(0)}`,
    to: `${ip.subarray(16, 20).join(".")}:${udp.readUInt16BE(2)}`,
    data: udp.subarray(8),
    length,
    udpChecksum: checksum === 0 ? "none" : "right",
  };
}

/** RFC 1071: all ones where the checksum in it is right. */
function words(bytes: Buffer): number {
  const padded = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]);
  let sum = 0;
  for (let at = 0; at < padded.length; at += 2) sum += padded.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return sum;
}
