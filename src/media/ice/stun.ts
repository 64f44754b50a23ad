import { createHmac, timingSafeEqual, type KeyObject } from "node:crypto";
import { crc32 } from "node:zlib";

/** STUN on bytes (RFC 8489), as far as connectivity checks need it (RFC 8445 7). */
export const magicCookie = 0x2112a442;
const headerBytes = 20;
const integrityBytes = 20;
const fingerprintXor = 0x5354554e;
/** A check fits in any path's packet; RFC 8489 6.1 says at most 548 bytes where the path is unknown. */
const maxMessageBytes = 1280;
const maxAttributes = 32;
/** RFC 8489 14.3 allows 509 bytes. */
const maxUsernameBytes = 509;

export const bindingMethod = 0x001;
/** Class and method. */
export const bindingRequest = 0x0001;

export const stunAttributes = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  xorMappedAddress: 0x0020,
  priority: 0x0024,
  useCandidate: 0x0025,
  fingerprint: 0x8028,
  iceControlled: 0x8029,
  iceControlling: 0x802a,
} as const;

/** Comprehension-required attributes we know, though some say nothing to us (RFC 8489 18.3, RFC 8445 16.1). */
const understood: ReadonlySet<number> = new Set([
  0x0001, 0x0006, 0x0008, 0x0009, 0x000a, 0x0014, 0x0015, 0x001c, 0x001d, 0x001e, 0x0020, 0x0024, 0x0025,
]);

export type StunClass = "request" | "indication" | "success" | "error";

/** What a check says. Attributes behind MESSAGE-INTEGRITY count for nothing (RFC 8489 14.5). */
export interface StunMessage {
  readonly class: StunClass;
  readonly method: number;
  /** 12 bytes, a view into the packet. */
  readonly transactionId: Buffer;
  readonly username: string | undefined;
  /** Offset of the MESSAGE-INTEGRITY attribute, undefined without one. */
  readonly integrityOffset: number | undefined;
  readonly useCandidate: boolean;
  /** ICE-CONTROLLED was there: the peer takes itself for the controlled agent. */
  readonly controlled: boolean;
  /** Comprehension-required attributes that are not understood. */
  readonly unknown: readonly number[];
}

interface Mutable {
  username: string | undefined;
  integrityOffset: number | undefined;
  useCandidate: boolean;
  controlled: boolean;
  unknown: number[];
}

const classes: readonly StunClass[] = ["request", "indication", "success", "error"];

/** Whether header and length can be STUN's (RFC 8489 5, 6.3). */
function headerIsStun(packet: Buffer, length: number): boolean {
  if (length < headerBytes || length > maxMessageBytes || length > packet.length || length % 4 !== 0)
    return false;
  if ((packet[0] ?? 0) > 3 || packet.readUInt32BE(4) !== magicCookie) return false;
  return packet.readUInt16BE(2) === length - headerBytes;
}

/** Takes one attribute in; false when it makes the message invalid. */
function takeAttribute(message: Mutable, type: number, value: Buffer): boolean {
  if (type === stunAttributes.username) {
    if (message.username !== undefined || value.length > maxUsernameBytes) return false;
    message.username = value.toString("utf8");
  } else if (type === stunAttributes.messageIntegrity) {
    if (value.length !== integrityBytes) return false;
  } else if (type === stunAttributes.useCandidate) message.useCandidate = true;
  else if (type === stunAttributes.iceControlled) {
    if (value.length !== 8) return false;
    message.controlled = true;
  } else if (type < 0x8000 && !understood.has(type)) message.unknown.push(type);
  return true;
}

/** FINGERPRINT: last, four bytes, CRC-32 of all before it XOR a constant (RFC 8489 14.7). */
function fingerprintIsRight(packet: Buffer, offset: number, size: number, length: number): boolean {
  if (size !== 4 || offset + 8 !== length) return false;
  return packet.readUInt32BE(offset + 4) === (crc32(packet.subarray(0, offset)) ^ fingerprintXor) >>> 0;
}

/**
 * The STUN message that fills `packet[0, length)`, or undefined when it is none: wrong sizes, a wrong FINGERPRINT,
 * too many attributes. Nothing is authenticated here: see `integrityIsRight`.
 */
export function decodeStun(packet: Buffer, length: number): StunMessage | undefined {
  if (!headerIsStun(packet, length)) return undefined;
  const type = packet.readUInt16BE(0);
  const message: Mutable = {
    username: undefined,
    integrityOffset: undefined,
    useCandidate: false,
    controlled: false,
    unknown: [],
  };
  let count = 0;
  for (let at = headerBytes; at < length;) {
    if (++count > maxAttributes || at + 4 > length) return undefined;
    const attribute = packet.readUInt16BE(at);
    const size = packet.readUInt16BE(at + 2);
    const next = at + 4 + ((size + 3) & ~3);
    if (next > length) return undefined;
    if (attribute === stunAttributes.fingerprint) {
      if (!fingerprintIsRight(packet, at, size, length)) return undefined;
    } else if (message.integrityOffset === undefined) {
      if (!takeAttribute(message, attribute, packet.subarray(at + 4, at + 4 + size))) return undefined;
      if (attribute === stunAttributes.messageIntegrity) message.integrityOffset = at;
    }
    at = next;
  }
  return {
    class: classes[((type >>> 7) & 2) | ((type >>> 4) & 1)] ?? "request",
    method: (type & 0x000f) | ((type & 0x00e0) >>> 1) | ((type & 0x3e00) >>> 2),
    transactionId: packet.subarray(8, headerBytes),
    ...message,
  };
}

/** HMAC-SHA1 of the message up to `offset`, its length field set to end with MESSAGE-INTEGRITY (RFC 8489 14.5). */
function integrityOf(packet: Buffer, offset: number, key: KeyObject): Buffer {
  const text = Buffer.from(packet.subarray(0, offset));
  text.writeUInt16BE(offset + 4 + integrityBytes - headerBytes, 2);
  return createHmac("sha1", key).update(text).digest();
}

/** Whether `message`, decoded from `packet`, carries the MESSAGE-INTEGRITY of `key`; compared in constant time. */
export function integrityIsRight(packet: Buffer, message: StunMessage, key: KeyObject): boolean {
  const offset = message.integrityOffset;
  if (offset === undefined) return false;
  const given = packet.subarray(offset + 4, offset + 4 + integrityBytes);
  return timingSafeEqual(given, integrityOf(packet, offset, key));
}

/** A STUN attribute to be written. */
export interface StunAttribute {
  readonly type: number;
  readonly value: Buffer;
}

function padded({ type, value }: StunAttribute): Buffer {
  const out = Buffer.alloc(4 + ((value.length + 3) & ~3));
  out.writeUInt16BE(type, 0);
  out.writeUInt16BE(value.length, 2);
  value.copy(out, 4);
  return out;
}

/**
 * A STUN message with FINGERPRINT, and MESSAGE-INTEGRITY before it when `key` is given.
 * `type`: the 16 bits of class and method, e.g. 0x0101 for a Binding success.
 */
export function encodeStun(
  type: number,
  transactionId: Buffer,
  attributes: readonly StunAttribute[],
  key: KeyObject | undefined,
): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(type, 0);
  header.writeUInt32BE(magicCookie, 4);
  transactionId.copy(header, 8, 0, 12);
  let message = Buffer.concat([header, ...attributes.map(padded)]);
  if (key !== undefined) {
    const value = integrityOf(message, message.length, key);
    message = Buffer.concat([message, padded({ type: stunAttributes.messageIntegrity, value })]);
  }
  message.writeUInt16BE(message.length + 8 - headerBytes, 2);
  const value = Buffer.alloc(4);
  value.writeUInt32BE((crc32(message) ^ fingerprintXor) >>> 0);
  return Buffer.concat([message, padded({ type: stunAttributes.fingerprint, value })]);
}
