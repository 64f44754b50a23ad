import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import { readUint16, writeUint32 } from "../rtp/packet.ts";
import { deriveSessionKey, keyLabels } from "./key-derivation.ts";
import { rtcpHeaderBytes, srtpFailure, type SrtpKeys } from "./profile.ts";
import type { SrtpTransform } from "./transform.ts";

const tagBytes = 16;
const indexBytes = 4;
const ivBytes = 12;
const encryptedBit = 0x80000000;
const gcm = { authTagLength: tagBytes };

/** One direction's key with the buffer its IVs are built in. */
interface GcmKey {
  readonly key: KeyObject;
  readonly salt: Buffer;
  readonly iv: Buffer;
}

/** IV of 12 bytes: 00 00 | SSRC | six bytes of index, XOR salt (RFC 7714 8.1 and 9.1). */
function setIv({ iv, salt }: GcmKey, ssrc: number, indexHigh: number, indexLow: number): Buffer {
  iv[0] = salt[0] ?? 0;
  iv[1] = salt[1] ?? 0;
  for (let i = 0; i < 4; i++) {
    const shift = 24 - 8 * i;
    iv[2 + i] = (salt[2 + i] ?? 0) ^ (ssrc >>> shift);
    iv[6 + i] = (salt[6 + i] ?? 0) ^ (indexHigh >>> shift);
  }
  iv[10] = (salt[10] ?? 0) ^ (indexLow >>> 8);
  iv[11] = (salt[11] ?? 0) ^ (indexLow & 0xff);
  return iv;
}

/** Encrypts `packet[start, end)` to `out` at `start` and puts the tag behind it. */
function seal(
  key: KeyObject,
  iv: Buffer,
  aad: Buffer,
  packet: Buffer,
  start: number,
  end: number,
  out: Buffer,
): void {
  const cipher = createCipheriv("aes-128-gcm", key, iv, gcm);
  cipher.setAAD(aad);
  const text = cipher.update(packet.subarray(start, end));
  cipher.final();
  text.copy(out, start);
  cipher.getAuthTag().copy(out, end);
}

/** The decrypted bytes of `text`, or undefined when the tag is wrong. */
function open(key: KeyObject, iv: Buffer, aad: Buffer, text: Buffer, tag: Buffer): Buffer | undefined {
  const decipher = createDecipheriv("aes-128-gcm", key, iv, gcm);
  decipher.setAAD(aad);
  decipher.setAuthTag(tag);
  const plain = decipher.update(text);
  try {
    decipher.final();
  } catch {
    return undefined; // node knows no other way to tell of a wrong tag
  }
  return plain;
}

/** Session keys and salts of one direction (RFC 3711 4.3.2). */
export interface GcmSessionKeys {
  readonly rtpKey: Buffer;
  readonly rtpSalt: Buffer;
  readonly rtcpKey: Buffer;
  readonly rtcpSalt: Buffer;
}

/** AEAD_AES_128_GCM (RFC 7714). */
export function createAesGcmTransform({ key, salt }: SrtpKeys): SrtpTransform {
  return createGcmSessionTransform({
    rtpKey: deriveSessionKey(key, salt, keyLabels.rtpEncryption, 16),
    rtpSalt: deriveSessionKey(key, salt, keyLabels.rtpSalt, ivBytes),
    rtcpKey: deriveSessionKey(key, salt, keyLabels.rtcpEncryption, 16),
    rtcpSalt: deriveSessionKey(key, salt, keyLabels.rtcpSalt, ivBytes),
  });
}

/**
 * The same from session keys. A cipher object per packet, from a KeyObject: OpenSSL's GHASH is constant-time, a
 * table-driven one of ours would not be.
 */
export function createGcmSessionTransform(keys: GcmSessionKeys): SrtpTransform {
  const rtp: GcmKey = { key: createSecretKey(keys.rtpKey), salt: keys.rtpSalt, iv: Buffer.alloc(ivBytes) };
  const rtcp: GcmKey = { key: createSecretKey(keys.rtcpKey), salt: keys.rtcpSalt, iv: Buffer.alloc(ivBytes) };
  /** RTCP header and index word: what SRTCP authenticates without encrypting (RFC 7714 9.2). */
  const rtcpAad = Buffer.alloc(rtcpHeaderBytes + indexBytes);

  return {
    rtpOverhead: tagBytes,
    rtcpOverhead: tagBytes + indexBytes,
    sealRtp(packet, header, length, ssrc, roc, out) {
      const iv = setIv(rtp, ssrc, roc, readUint16(packet, 2));
      if (out !== packet) packet.copy(out, 0, 0, header);
      seal(rtp.key, iv, packet.subarray(0, header), packet, header, length, out);
      return length + tagBytes;
    },
    openRtp(packet, header, length, ssrc, roc, out) {
      const end = length - tagBytes;
      const iv = setIv(rtp, ssrc, roc, readUint16(packet, 2));
      const text = packet.subarray(header, end);
      const plain = open(rtp.key, iv, packet.subarray(0, header), text, packet.subarray(end, length));
      if (plain === undefined) return srtpFailure.authentication;
      if (out !== packet) packet.copy(out, 0, 0, header);
      plain.copy(out, header);
      return end;
    },
    sealRtcp(packet, length, ssrc, index, out) {
      const iv = setIv(rtcp, ssrc, index >>> 16, index & 0xffff);
      packet.copy(rtcpAad, 0, 0, rtcpHeaderBytes);
      writeUint32(rtcpAad, rtcpHeaderBytes, index | encryptedBit);
      if (out !== packet) packet.copy(out, 0, 0, rtcpHeaderBytes);
      seal(rtcp.key, iv, rtcpAad, packet, rtcpHeaderBytes, length, out);
      writeUint32(out, length + tagBytes, index | encryptedBit);
      return length + tagBytes + indexBytes;
    },
    openRtcp(packet, length, ssrc, index, encrypted, out) {
      const end = length - indexBytes - tagBytes;
      const tag = packet.subarray(end, end + tagBytes);
      const iv = setIv(rtcp, ssrc, index >>> 16, index & 0xffff);
      const start = encrypted ? rtcpHeaderBytes : end;
      // Without encryption the whole packet is associated data (RFC 7714 9.3).
      const aad = encrypted ? rtcpAad : Buffer.alloc(end + indexBytes);
      packet.copy(aad, 0, 0, start);
      packet.copy(aad, start, length - indexBytes, length);
      const plain = open(rtcp.key, iv, aad, packet.subarray(start, end), tag);
      if (plain === undefined) return srtpFailure.authentication;
      if (out !== packet) packet.copy(out, 0, 0, start);
      plain.copy(out, start);
      return end;
    },
    rtcpIndexOffset: (length) => length - indexBytes,
  };
}
