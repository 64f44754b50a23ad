import { createCipheriv, createSecretKey, type Cipheriv } from "node:crypto";
import { readUint16, writeUint32 } from "../rtp/packet.ts";
import { HmacSha1 } from "./hmac-sha1.ts";
import { deriveSessionKey, keyLabels } from "./key-derivation.ts";
import { maxPacketBytes, rtcpHeaderBytes, srtpFailure, type SrtpKeys } from "./profile.ts";
import type { SrtpTransform } from "./transform.ts";

/** HMAC-SHA1-80 (RFC 3711 5.2). */
const tagBytes = 10;
const indexBytes = 4;
const encryptedBit = 0x80000000;

/**
 * AES in counter mode (RFC 3711 4.1.1). The counter blocks go through one kept-open AES-ECB cipher: starting a cipher
 * per packet costs more than all the rest (measured). The only allocation is the keystream that node returns.
 */
export class CounterMode {
  readonly #cipher: Cipheriv;
  readonly #salt: Buffer;
  readonly #bytes = new Uint8Array(maxPacketBytes);
  readonly #words = new Int32Array(this.#bytes.buffer);
  /** Views of the first n blocks, made once per n. */
  readonly #views: Uint8Array[] = [];

  constructor(key: Buffer, salt: Buffer) {
    this.#cipher = createCipheriv("aes-128-ecb", createSecretKey(key), null).setAutoPadding(false);
    this.#salt = salt;
    for (let block = 0; block < maxPacketBytes / 16; block++) {
      this.#bytes.set(salt.subarray(0, 4), block * 16);
      this.#bytes[block * 16 + 14] = block >>> 8;
      this.#bytes[block * 16 + 15] = block;
    }
  }

  /**
   * Writes `from[start, end) XOR keystream` into `to` at the same offsets. The packet index of 48 bits is
   * `indexHigh` (upper 32) and `indexLow` (lower 16).
   */
  apply(
    from: Buffer,
    to: Buffer,
    start: number,
    end: number,
    ssrc: number,
    indexHigh: number,
    indexLow: number,
  ): void {
    if (end <= start) return;
    const blocks = (end - start + 15) >>> 4;
    this.#fill(blocks, ssrc, indexHigh, indexLow);
    const stream = this.#cipher.update((this.#views[blocks] ??= this.#bytes.subarray(0, blocks * 16)));
    for (let i = start, k = 0; i < end; i++, k++) to[i] = (from[i] ?? 0) ^ (stream[k] ?? 0);
  }

  /** IV = salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16, plus the block number, in each block. */
  #fill(blocks: number, ssrc: number, indexHigh: number, indexLow: number): void {
    const bytes = this.#bytes;
    const words = this.#words;
    const salt = this.#salt;
    for (let i = 0; i < 4; i++) {
      const shift = 24 - 8 * i;
      bytes[4 + i] = (salt[4 + i] ?? 0) ^ (ssrc >>> shift);
      bytes[8 + i] = (salt[8 + i] ?? 0) ^ (indexHigh >>> shift);
    }
    const twelve = (salt[12] ?? 0) ^ (indexLow >>> 8);
    const thirteen = (salt[13] ?? 0) ^ (indexLow & 0xff);
    bytes[12] = twelve;
    bytes[13] = thirteen;
    const one = words[1] ?? 0;
    const two = words[2] ?? 0;
    for (let block = 1; block < blocks; block++) {
      words[block * 4 + 1] = one;
      words[block * 4 + 2] = two;
      bytes[block * 16 + 12] = twelve;
      bytes[block * 16 + 13] = thirteen;
    }
  }
}

/** SRTP_AES128_CM_HMAC_SHA1_80 (RFC 3711, RFC 5764 4.1.2). */
export function createAesCmTransform({ key, salt }: SrtpKeys): SrtpTransform {
  const derive = (label: (typeof keyLabels)[keyof typeof keyLabels], length: number): Buffer =>
    deriveSessionKey(key, salt, label, length);
  const rtpCipher = new CounterMode(derive(keyLabels.rtpEncryption, 16), derive(keyLabels.rtpSalt, 14));
  const rtcpCipher = new CounterMode(derive(keyLabels.rtcpEncryption, 16), derive(keyLabels.rtcpSalt, 14));
  const rtpMac = new HmacSha1(derive(keyLabels.rtpAuthentication, 20));
  const rtcpMac = new HmacSha1(derive(keyLabels.rtcpAuthentication, 20));

  return {
    rtpOverhead: tagBytes,
    rtcpOverhead: indexBytes + tagBytes,
    sealRtp(packet, header, length, ssrc, roc, out) {
      if (out !== packet) packet.copy(out, 0, 0, header);
      rtpCipher.apply(packet, out, header, length, ssrc, roc, readUint16(packet, 2));
      rtpMac.computeWithTrailer(out, length, roc);
      for (let i = 0; i < tagBytes; i++) out[length + i] = rtpMac.digest[i] ?? 0;
      return length + tagBytes;
    },
    openRtp(packet, header, length, ssrc, roc, out) {
      const end = length - tagBytes;
      rtpMac.computeWithTrailer(packet, end, roc);
      if (!rtpMac.matches(packet, end, tagBytes)) return srtpFailure.authentication;
      if (out !== packet) packet.copy(out, 0, 0, header);
      rtpCipher.apply(packet, out, header, end, ssrc, roc, readUint16(packet, 2));
      return end;
    },
    sealRtcp(packet, length, ssrc, index, out) {
      if (out !== packet) packet.copy(out, 0, 0, rtcpHeaderBytes);
      rtcpCipher.apply(packet, out, rtcpHeaderBytes, length, ssrc, index >>> 16, index & 0xffff);
      writeUint32(out, length, index | encryptedBit);
      rtcpMac.compute(out, length + indexBytes);
      for (let i = 0; i < tagBytes; i++) out[length + indexBytes + i] = rtcpMac.digest[i] ?? 0;
      return length + indexBytes + tagBytes;
    },
    openRtcp(packet, length, ssrc, index, encrypted, out) {
      const tagAt = length - tagBytes;
      const end = tagAt - indexBytes;
      rtcpMac.compute(packet, tagAt);
      if (!rtcpMac.matches(packet, tagAt, tagBytes)) return srtpFailure.authentication;
      if (out !== packet) packet.copy(out, 0, 0, encrypted ? rtcpHeaderBytes : end);
      if (encrypted) rtcpCipher.apply(packet, out, rtcpHeaderBytes, end, ssrc, index >>> 16, index & 0xffff);
      return end;
    },
    rtcpIndexOffset: (length) => length - tagBytes - indexBytes,
  };
}
