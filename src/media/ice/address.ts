import { isIPv4, isIPv6 } from "node:net";
import { magicCookie } from "./stun.ts";

const familyIpv4 = 0x01;
const familyIpv6 = 0x02;

function ipv4Bytes(address: string): Buffer {
  return Buffer.from(address.split(".").map(Number));
}

/** Groups of one side of `::`, a dotted tail counting as two. */
function groupsOf(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const tail = ipv4Bytes(group);
    return [tail.readUInt16BE(0), tail.readUInt16BE(2)];
  });
}

function ipv6Bytes(address: string): Buffer {
  const [head = "", rest] = (address.split("%")[0] ?? "").split("::");
  const left = groupsOf(head);
  const right = rest === undefined ? [] : groupsOf(rest);
  const out = Buffer.alloc(16);
  left.forEach((group, i) => out.writeUInt16BE(group, 2 * i));
  right.forEach((group, i) => out.writeUInt16BE(group, 2 * (8 - right.length + i)));
  return out;
}

/** An IP address as 4 or 16 bytes; undefined when it is none. An IPv4 address mapped into IPv6 gives 4. */
export function addressBytes(address: string): Buffer | undefined {
  if (isIPv4(address)) return ipv4Bytes(address);
  if (!isIPv6(address)) return undefined;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped === undefined ? ipv6Bytes(address) : ipv4Bytes(mapped);
}

/**
 * Value of XOR-MAPPED-ADDRESS (RFC 8489 14.2): the address XOR the magic cookie and, for IPv6, the transaction id.
 * Throws RangeError when `address` is no IP address.
 */
export function xorMappedAddress(address: string, port: number, transactionId: Buffer): Buffer {
  const bytes = addressBytes(address);
  if (bytes === undefined) throw new RangeError("not an IP address");
  const cookie = Buffer.alloc(4);
  cookie.writeUInt32BE(magicCookie);
  const mask = Buffer.concat([cookie, transactionId]);
  const out = Buffer.alloc(4 + bytes.length);
  out[1] = bytes.length === 4 ? familyIpv4 : familyIpv6;
  out.writeUInt16BE(port ^ (magicCookie >>> 16), 2);
  bytes.forEach((byte, i) => out.writeUInt8(byte ^ (mask[i] ?? 0), 4 + i));
  return out;
}
