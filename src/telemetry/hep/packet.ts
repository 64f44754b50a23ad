import { isIPv4, isIPv6 } from "node:net";

/** One end of a captured message. */
export interface HepEnd {
  /** IPv4 or IPv6 address. */
  readonly address: string;
  readonly port: number;
}

/** A captured SIP message as HEP3 carries it. */
export interface HepPacket {
  readonly from: HepEnd;
  readonly to: HepEnd;
  /** What it travelled by on IP: WebSocket and TLS are TCP. */
  readonly transport: "udp" | "tcp";
  /** When, microseconds since 1970. */
  readonly atMicroseconds: number;
  /** Number that names this gateway at the receiver. */
  readonly captureId: number;
  readonly password: string | undefined;
  /** The same for all messages of a call, whichever side and dialog. */
  readonly correlationId: string;
  readonly payload: Buffer;
}

/** Chunk types of the generic vendor (HEP3 Network Protocol Specification, "generic chunk types"). */
const chunks = {
  ipFamily: 0x01,
  ipProtocol: 0x02,
  ipv4Source: 0x03,
  ipv4Destination: 0x04,
  ipv6Source: 0x05,
  ipv6Destination: 0x06,
  sourcePort: 0x07,
  destinationPort: 0x08,
  seconds: 0x09,
  microseconds: 0x0a,
  protocol: 0x0b,
  captureId: 0x0c,
  authenticateKey: 0x0e,
  payload: 0x0f,
  correlationId: 0x11,
} as const;

/** AF_INET and AF_INET6 as Linux numbers them. */
const families = { ipv4: 2, ipv6: 10 };
/** Protocol numbers of IANA. */
const ipProtocols = { udp: 17, tcp: 6 };
const sip = 1;
/** "HEP3" and the length of all. */
const headerBytes = 6;
const chunkHeaderBytes = 6;
/** Longest packet: one UDP datagram over IPv4 (65,507) with some room; its length field has 16 bits. */
export const longestPacket = 65_000;

/** The packet's bytes; a payload that does not fit is cut off at its end. */
export function encodeHep(packet: HepPacket): Buffer {
  const { from, to, transport, atMicroseconds, captureId, password, correlationId } = packet;
  const seconds = Math.floor(atMicroseconds / 1_000_000);
  const v4 = isIPv4(from.address) && isIPv4(to.address);
  const address = v4 ? ipv4Bytes : ipv6Bytes;
  const parts = [
    chunk(chunks.ipFamily, uint8(v4 ? families.ipv4 : families.ipv6)),
    chunk(chunks.ipProtocol, uint8(ipProtocols[transport])),
    chunk(v4 ? chunks.ipv4Source : chunks.ipv6Source, address(from.address)),
    chunk(v4 ? chunks.ipv4Destination : chunks.ipv6Destination, address(to.address)),
    chunk(chunks.sourcePort, uint16(from.port)),
    chunk(chunks.destinationPort, uint16(to.port)),
    chunk(chunks.seconds, uint32(seconds)),
    chunk(chunks.microseconds, uint32(Math.floor(atMicroseconds - seconds * 1_000_000))),
    chunk(chunks.protocol, uint8(sip)),
    chunk(chunks.captureId, uint32(captureId)),
    ...(password === undefined ? [] : [chunk(chunks.authenticateKey, Buffer.from(password))]),
    chunk(chunks.correlationId, Buffer.from(correlationId)),
  ];
  const before = parts.reduce((sum, part) => sum + part.length, headerBytes);
  parts.push(chunk(chunks.payload, packet.payload.subarray(0, longestPacket - before - chunkHeaderBytes)));
  const header = Buffer.from("HEP3\0\0", "latin1");
  const whole = Buffer.concat([header, ...parts]);
  whole.writeUInt16BE(whole.length, 4);
  return whole;
}

function chunk(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(chunkHeaderBytes);
  // The first two bytes are the vendor: 0, generic.
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(chunkHeaderBytes + value.length, 4);
  return Buffer.concat([head, value]);
}

function uint8(value: number): Buffer {
  return Buffer.of(value & 0xff);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value & 0xff_ff);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

function ipv4Bytes(address: string): Buffer {
  return Buffer.from(address.split(".").map(Number));
}

/** An IPv4 address beside an IPv6 one is mapped (RFC 4291 2.5.5.2); what is no address is all zero. */
function ipv6Bytes(address: string): Buffer {
  const bytes = Buffer.alloc(16);
  if (isIPv4(address)) {
    bytes.writeUInt16BE(0xff_ff, 10);
    ipv4Bytes(address).copy(bytes, 12);
  } else if (isIPv6(address)) {
    const groups = (text: string): number[] =>
      text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
    const [head = "", tail] = plainGroups(address).split("::");
    for (const [index, group] of groups(head).entries()) bytes.writeUInt16BE(group, index * 2);
    const last = groups(tail ?? "");
    for (const [index, group] of last.entries()) bytes.writeUInt16BE(group, 16 - (last.length - index) * 2);
  }
  return bytes;
}

/** Without zone, an IPv4 tail as two groups. */
function plainGroups(address: string): string {
  const [text = ""] = address.split("%", 1);
  const [, head, tail] = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text) ?? [];
  if (head === undefined || tail === undefined) return text;
  const bytes = ipv4Bytes(tail);
  return `${head}${bytes.readUInt16BE(0).toString(16)}:${bytes.readUInt16BE(2).toString(16)}`;
}
