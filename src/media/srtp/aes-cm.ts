import { createCipheriv, createSecretKey, type Cipheriv } from "node:crypto";
import { readUint16, writeUint32 } from "../rtp/packet.ts";
import { HmacSha1 } from "./hmac-sha1.ts";
import { deriveSessionKey, keyLabels } from "./key-derivation.ts";
import { maxPacketBytes, rtcpHeaderBytes, shortTagProfile, srtpFailure, type SrtpKeys } from "./profile.ts";
import type { SrtpTransform } from "./transform.ts";

/** HMAC-SHA1-80 (RFC 3711 5.2); RTCP has it with the short tag of RTP too (RFC 4568 6.2.2). */
const longTagBytes = 10;
const shortTagBytes = 4;
const indexBytes = 4;
const encryptedBit = 0x80000000;

const blockBytes = 16;
/** Blocks encrypted by one call of the cipher. */
const batchBlocks = maxPacketBytes / blockBytes;
/** A longer packet than this is no voice packet: its keystream is made by itself. */
const longestPrefetched = 16;

/** Keystream of consecutive packets of one SSRC. */
interface Keystream {
  bytes: Uint8Array;
  ssrc: number;
  indexHigh: number;
  /** `indexLow` of the first packet, and for how many there is keystream. */
  first: number;
  packets: number;
  /** Blocks for each packet. */
  blocks: number;
}

/**
 * AES in counter mode (RFC 3711 4.1.1). The counter blocks go through one kept-open AES-ECB cipher: starting a cipher
 * per packet costs more than all the rest (measured), and even a call of it costs more than the encryption, so each
 * call makes the keystream of the packets to come too.
 */
export class CounterMode {
  readonly #cipher: Cipheriv;
  readonly #salt: Buffer;
  /** Counter blocks, shared by all: filled and encrypted within one call. */
  static readonly #counters = new Uint8Array(maxPacketBytes);
  static readonly #words = new Int32Array(CounterMode.#counters.buffer);
  readonly #ahead: Keystream = {
    bytes: new Uint8Array(0),
    ssrc: 0,
    indexHigh: 0,
    first: 0,
    packets: 0,
    blocks: 0,
  };

  constructor(key: Buffer, salt: Buffer) {
    this.#cipher = createCipheriv("aes-128-ecb", createSecretKey(key), null).setAutoPadding(false);
    this.#salt = salt;
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
    const blocks = (end - start + blockBytes - 1) >>> 4;
    const ahead = this.#ahead;
    const known = ahead.ssrc === ssrc && ahead.indexHigh === indexHigh;
    const place = indexLow - ahead.first;
    if (known && place >= 0 && place < ahead.packets && blocks <= ahead.blocks)
      return xor(from, to, start, end, ahead.bytes, place * ahead.blocks * blockBytes);
    // A late packet, or a long one, must not cost the keystream of those to come.
    if ((known && place < 0) || blocks > longestPrefetched)
      return xor(from, to, start, end, this.#make(1, blocks, ssrc, indexHigh, indexLow), 0);
    if (blocks > ahead.blocks || !known) ahead.blocks = blocks;
    ahead.packets = Math.min(Math.floor(batchBlocks / ahead.blocks), 0x10000 - indexLow);
    ahead.bytes = this.#make(ahead.packets, ahead.blocks, ssrc, indexHigh, indexLow);
    ahead.ssrc = ssrc;
    ahead.indexHigh = indexHigh;
    ahead.first = indexLow;
    xor(from, to, start, end, ahead.bytes, 0);
  }

  /** Keystream of `packets` packets from `indexLow` on, `blocks` blocks each. */
  #make(packets: number, blocks: number, ssrc: number, indexHigh: number, indexLow: number): Uint8Array {
    const counters = CounterMode.#counters;
    for (let packet = 0; packet < packets; packet++)
      this.#fill(packet * blocks, blocks, ssrc, indexHigh, indexLow + packet);
    return this.#cipher.update(counters.subarray(0, packets * blocks * blockBytes));
  }

  /** IV = salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16, plus the block number, in each block. */
  #fill(from: number, blocks: number, ssrc: number, indexHigh: number, indexLow: number): void {
    const bytes = CounterMode.#counters;
    const words = CounterMode.#words;
    const salt = this.#salt;
    const at = from * blockBytes;
    for (let i = 0; i < 4; i++) {
      const shift = 24 - 8 * i;
      bytes[at + i] = salt[i] ?? 0;
      bytes[at + 4 + i] = (salt[4 + i] ?? 0) ^ (ssrc >>> shift);
      bytes[at + 8 + i] = (salt[8 + i] ?? 0) ^ (indexHigh >>> shift);
    }
    bytes[at + 12] = (salt[12] ?? 0) ^ (indexLow >>> 8);
    bytes[at + 13] = (salt[13] ?? 0) ^ (indexLow & 0xff);
    bytes[at + 14] = 0;
    bytes[at + 15] = 0;
    const word = from * 4;
    const zero = words[word] ?? 0;
    const one = words[word + 1] ?? 0;
    const two = words[word + 2] ?? 0;
    const three = words[word + 3] ?? 0;
    for (let block = 1; block < blocks; block++) {
      const next = word + block * 4;
      words[next] = zero;
      words[next + 1] = one;
      words[next + 2] = two;
      words[next + 3] = three;
      bytes[at + block * blockBytes + 14] = block >>> 8;
      bytes[at + block * blockBytes + 15] = block;
    }
  }
}

function xor(
  from: Uint8Array,
  to: Uint8Array,
  start: number,
  end: number,
  stream: Uint8Array,
  at: number,
): void {
  for (let i = start, k = at; i < end; i++, k++) to[i] = (from[i] ?? 0) ^ (stream[k] ?? 0);
}

/** SRTP_AES128_CM_HMAC_SHA1_80 and _32 (RFC 3711, RFC 5764 4.1.2). */
export function createAesCmTransform({ profile, key, salt }: SrtpKeys): SrtpTransform {
  const tagBytes = profile === shortTagProfile ? shortTagBytes : longTagBytes;
  const derive = (label: (typeof keyLabels)[keyof typeof keyLabels], length: number): Buffer =>
    deriveSessionKey(key, salt, label, length);
  const rtpCipher = new CounterMode(derive(keyLabels.rtpEncryption, 16), derive(keyLabels.rtpSalt, 14));
  const rtcpCipher = new CounterMode(derive(keyLabels.rtcpEncryption, 16), derive(keyLabels.rtcpSalt, 14));
  const rtpMac = new HmacSha1(derive(keyLabels.rtpAuthentication, 20));
  const rtcpMac = new HmacSha1(derive(keyLabels.rtcpAuthentication, 20));

  return {
    rtpOverhead: tagBytes,
    rtcpOverhead: indexBytes + longTagBytes,
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
      for (let i = 0; i < longTagBytes; i++) out[length + indexBytes + i] = rtcpMac.digest[i] ?? 0;
      return length + indexBytes + longTagBytes;
    },
    openRtcp(packet, length, ssrc, index, encrypted, out) {
      const tagAt = length - longTagBytes;
      const end = tagAt - indexBytes;
      rtcpMac.compute(packet, tagAt);
      if (!rtcpMac.matches(packet, tagAt, longTagBytes)) return srtpFailure.authentication;
      if (out !== packet) packet.copy(out, 0, 0, encrypted ? rtcpHeaderBytes : end);
      if (encrypted) rtcpCipher.apply(packet, out, rtcpHeaderBytes, end, ssrc, index >>> 16, index & 0xffff);
      return end;
    },
    rtcpIndexOffset: (length) => length - longTagBytes - indexBytes,
  };
}
