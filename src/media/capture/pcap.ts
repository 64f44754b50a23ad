/** Bytes of a classic pcap file's own header (draft-ietf-opsawg-pcap 4). */
export const fileHeaderBytes = 24;
/** Bytes before each packet (5). */
export const recordHeaderBytes = 16;
/** IPv4 without options, and UDP. */
const ipBytes = 20;
const headerBytes = ipBytes + 8;
/** All that stands before a datagram in the file. */
export const datagramOverhead = recordHeaderBytes + headerBytes;

const magicMicroseconds = 0xa1b2c3d4;
/** LINKTYPE_RAW: each packet begins with its IP header. */
const linkTypeRaw = 101;
const protocolUdp = 17;
const timeToLive = 64;

/** One datagram as it stands in the file; one object is filled again and again. */
export interface Datagram {
  /** Wall clock, ms since 1970 with fractions. */
  time: number;
  /** IPv4 addresses as numbers. */
  source: number;
  sourcePort: number;
  destination: number;
  destinationPort: number;
  /** Runs up with each packet. */
  identification: number;
}

export function emptyDatagram(): Datagram {
  return { time: 0, source: 0, sourcePort: 0, destination: 0, destinationPort: 0, identification: 0 };
}

/** A file header that promises records of up to `snapBytes`. */
export function pcapHeader(snapBytes: number): Buffer {
  const header = Buffer.alloc(fileHeaderBytes);
  header.writeUInt32LE(magicMicroseconds, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(snapBytes, 16);
  header.writeUInt32LE(linkTypeRaw, 20);
  return header;
}

/**
 * Writes a record with IP and UDP headers and the first `kept` of `length` bytes of `packet` to `out` at `at`, and
 * returns its bytes. Lengths tell of the packet as it was. Of a packet that is cut the UDP checksum is left out
 * (zero, RFC 768): with it the digit of a cut telephone-event could be worked out.
 */
export function writeRecord(
  out: Buffer,
  at: number,
  datagram: Readonly<Datagram>,
  packet: Buffer,
  length: number,
  kept: number,
): number {
  const microseconds = Math.round(datagram.time * 1000);
  const seconds = Math.floor(microseconds / 1_000_000);
  out.writeUInt32LE(seconds >>> 0, at);
  out.writeUInt32LE(microseconds - seconds * 1_000_000, at + 4);
  out.writeUInt32LE(headerBytes + kept, at + 8);
  out.writeUInt32LE(headerBytes + length, at + 12);
  const ip = at + recordHeaderBytes;
  writeIp(out, ip, datagram, headerBytes + length);
  const udp = ip + ipBytes;
  out.writeUInt16BE(datagram.sourcePort, udp);
  out.writeUInt16BE(datagram.destinationPort, udp + 2);
  out.writeUInt16BE(8 + length, udp + 4);
  out.writeUInt16BE(0, udp + 6);
  packet.copy(out, udp + 8, 0, kept);
  if (kept === length) out.writeUInt16BE(udpChecksum(out, ip, 8 + length), udp + 6);
  return datagramOverhead + kept;
}

function writeIp(out: Buffer, at: number, datagram: Readonly<Datagram>, total: number): void {
  out.writeUInt16BE(0x4500, at);
  out.writeUInt16BE(total, at + 2);
  out.writeUInt16BE(datagram.identification & 0xffff, at + 4);
  out.writeUInt16BE(0, at + 6);
  out.writeUInt16BE((timeToLive << 8) | protocolUdp, at + 8);
  out.writeUInt16BE(0, at + 10);
  out.writeUInt32BE(datagram.source, at + 12);
  out.writeUInt32BE(datagram.destination, at + 16);
  out.writeUInt16BE(complement(sum(out, at, ipBytes)), at + 10);
}

/** RFC 768: over addresses, protocol and length besides the datagram; a result of zero is sent as all ones. */
function udpChecksum(out: Buffer, ip: number, udpLength: number): number {
  const addresses = sum(out, ip + 12, 8);
  const checksum = complement(addresses + protocolUdp + udpLength + sum(out, ip + ipBytes, udpLength));
  return checksum === 0 ? 0xffff : checksum;
}

/** Sum of the 16-bit words, an odd last byte padded; below 2^31 for any datagram. */
function sum(bytes: Buffer, at: number, length: number): number {
  let total = 0;
  for (let index = 0; index + 1 < length; index += 2)
    total += ((bytes[at + index] ?? 0) << 8) | (bytes[at + index + 1] ?? 0);
  return length % 2 === 0 ? total : total + ((bytes[at + length - 1] ?? 0) << 8);
}

function complement(total: number): number {
  let folded = total;
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return ~folded & 0xffff;
}

/** An IPv4 literal as a number; -1 for anything else. */
export function ipv4Number(address: string): number {
  let value = 0;
  let octet = -1;
  let dots = 0;
  for (let index = 0; index < address.length; index++) {
    const code = address.charCodeAt(index);
    if (code === 0x2e) {
      if (octet < 0 || ++dots > 3) return -1;
      value = value * 256 + octet;
      octet = -1;
    } else if (code >= 0x30 && code <= 0x39) {
      octet = Math.max(0, octet) * 10 + code - 0x30;
      if (octet > 255) return -1;
    } else return -1;
  }
  return dots === 3 && octet >= 0 ? value * 256 + octet : -1;
}
