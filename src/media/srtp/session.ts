import { readUint16, readUint32, rtpHeaderBytes } from "../rtp/packet.ts";
import { createAesCmTransform } from "./aes-cm.ts";
import { createAesGcmTransform } from "./aes-gcm.ts";
import {
  masterKeyBytes,
  masterSaltBytes,
  maxPacketBytes,
  rtcpHeaderBytes,
  srtpFailure,
  srtpProfiles,
  type SrtpKeys,
} from "./profile.ts";
import { estimateIndex, rtcpIndexLimit, rtpIndexLimit, Sources } from "./sources.ts";
import type { SrtpTransform } from "./transform.ts";

/** Secures what we send. One per direction and key. */
export interface SrtpSender {
  /**
   * Protects the RTP packet in `packet[0, length)` into `out` and returns the bytes written, or a negative
   * `srtpFailure`. `out` may be `packet` itself, else it must not overlap it; it needs `length + maxOverheadBytes`
   * bytes. A sequence number already sent is refused as `replay`: the same keystream twice gives the sound away.
   */
  protect(packet: Buffer, length: number, out: Buffer): number;
  /** The same for a compound RTCP packet; the SRTCP index is counted here. */
  protectRtcp(packet: Buffer, length: number, out: Buffer): number;
}

/** Checks and opens what the peer sends. One per direction and key. */
export interface SrtpReceiver {
  /**
   * Opens the SRTP packet in `packet[0, length)` into `out` (may be `packet` itself, else no overlap) and returns
   * the length of the RTP packet, or a negative `srtpFailure`. Nothing is remembered of a packet whose tag is wrong.
   */
  unprotect(packet: Buffer, length: number, out: Buffer): number;
  /** The same for SRTCP. An unencrypted packet (E bit off) is taken if it is authentic (RFC 3711 3.4). */
  unprotectRtcp(packet: Buffer, length: number, out: Buffer): number;
  /** SSRCs known, of RTP and RTCP. */
  readonly sources: number;
}

function createTransform(keys: SrtpKeys): SrtpTransform {
  if (keys.key.length !== masterKeyBytes) throw new RangeError(`SRTP master key of ${keys.key.length} bytes`);
  if (keys.salt.length !== masterSaltBytes(keys.profile))
    throw new RangeError(`SRTP master salt of ${keys.salt.length} bytes`);
  return keys.profile === srtpProfiles.aeadAes128Gcm
    ? createAesGcmTransform(keys)
    : createAesCmTransform(keys);
}

/** Whether `packet[0, length)` can be an RTCP packet: version 2, a header's length, in the buffer. */
function looksLikeRtcp(packet: Buffer, length: number, least: number): boolean {
  return (
    length >= least && length <= packet.length && length <= maxPacketBytes && (packet[0] ?? 0) >>> 6 === 2
  );
}

/** Throws RangeError when key or salt have not the profile's length. */
export function createSrtpSender(keys: SrtpKeys): SrtpSender {
  const transform = createTransform(keys);
  const rtp = new Sources();
  let rtcpIndex = -1;
  return {
    protect(packet, length, out) {
      const header = rtpHeaderBytes(packet, length);
      if (header < 0 || length + transform.rtpOverhead > Math.min(out.length, maxPacketBytes))
        return srtpFailure.malformed;
      const ssrc = readUint32(packet, 8);
      const known = rtp.find(ssrc);
      if (known === undefined && rtp.full) return srtpFailure.tooManySources;
      const window = known ?? rtp.add(ssrc);
      const index = estimateIndex(window.highest, readUint16(packet, 2));
      if (index < 0 || !window.accepts(index)) return srtpFailure.replay;
      if (index >= rtpIndexLimit) return srtpFailure.exhausted;
      window.record(index);
      return transform.sealRtp(packet, header, length, ssrc, Math.floor(index / 0x10000), out);
    },
    protectRtcp(packet, length, out) {
      if (!looksLikeRtcp(packet, length, rtcpHeaderBytes)) return srtpFailure.malformed;
      if (length + transform.rtcpOverhead > Math.min(out.length, maxPacketBytes))
        return srtpFailure.malformed;
      if (rtcpIndex + 1 >= rtcpIndexLimit) return srtpFailure.exhausted;
      rtcpIndex++;
      return transform.sealRtcp(packet, length, readUint32(packet, 4), rtcpIndex, out);
    },
  };
}

/** Throws RangeError when key or salt have not the profile's length. */
export function createSrtpReceiver(keys: SrtpKeys): SrtpReceiver {
  const transform = createTransform(keys);
  const rtp = new Sources();
  const rtcp = new Sources();
  return {
    unprotect(packet, length, out) {
      const header = rtpHeaderBytes(packet, length);
      const end = length - transform.rtpOverhead;
      if (header < 0 || header > end || length > maxPacketBytes || out.length < end)
        return srtpFailure.malformed;
      const ssrc = readUint32(packet, 8);
      const window = rtp.find(ssrc);
      const index = estimateIndex(window?.highest ?? -1, readUint16(packet, 2));
      if (index < 0 || (window !== undefined && !window.accepts(index))) return srtpFailure.replay;
      if (index >= rtpIndexLimit) return srtpFailure.exhausted;
      if (window === undefined && rtp.full) return srtpFailure.tooManySources;
      const written = transform.openRtp(packet, header, length, ssrc, Math.floor(index / 0x10000), out);
      // Only here, the tag being right, does the packet change what we know (RFC 3711 3.3.1).
      if (written >= 0) (window ?? rtp.add(ssrc)).record(index);
      return written;
    },
    unprotectRtcp(packet, length, out) {
      const least = rtcpHeaderBytes + transform.rtcpOverhead;
      if (!looksLikeRtcp(packet, length, least) || out.length < length - transform.rtcpOverhead)
        return srtpFailure.malformed;
      const ssrc = readUint32(packet, 4);
      const word = readUint32(packet, transform.rtcpIndexOffset(length));
      const index = word & 0x7fffffff;
      const window = rtcp.find(ssrc);
      if (window !== undefined && !window.accepts(index)) return srtpFailure.replay;
      if (window === undefined && rtcp.full) return srtpFailure.tooManySources;
      const written = transform.openRtcp(packet, length, ssrc, index, word >>> 31 === 1, out);
      if (written >= 0) (window ?? rtcp.add(ssrc)).record(index);
      return written;
    },
    get sources() {
      return rtp.size + rtcp.size;
    },
  };
}
