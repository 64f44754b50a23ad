import { createCipheriv, createHmac } from "node:crypto";
import { RtpHeader, SrtcpSession, SrtpSession } from "werift";
import { describe, expect, it } from "vitest";
import { createAesCmTransform } from "../../../src/media/srtp/aes-cm.ts";
import { createAesGcmTransform } from "../../../src/media/srtp/aes-gcm.ts";
import { deriveSessionKey, keyLabels } from "../../../src/media/srtp/key-derivation.ts";
import {
  createSrtpReceiver,
  createSrtpSender,
  maxOverheadBytes,
  srtpFailure,
  srtpFailureName,
  srtpProfiles,
  type SrtpKeys,
} from "../../../src/media/srtp/index.ts";
import { CountingRandom } from "../../support/counting-random.ts";

const random = new CountingRandom("srtp");
const profiles = [
  { name: "AES128_CM_HMAC_SHA1_80", profile: srtpProfiles.aesCm128HmacSha1Tag80, salt: 14, tag: 10 },
  { name: "AEAD_AES_128_GCM", profile: srtpProfiles.aeadAes128Gcm, salt: 12, tag: 16 },
] as const;

function makeKeys(profile: (typeof profiles)[number]): SrtpKeys {
  return { profile: profile.profile, key: random.bytes(16), salt: random.bytes(profile.salt) };
}

/** An RTP packet; `csrcs` sources and an extension of `extension` words, if given. */
function rtp(
  sequence: number,
  payload: number,
  { ssrc = 0x1234abcd, csrcs = 0, extension = -1 } = {},
): Buffer {
  const head = Buffer.alloc(12 + 4 * csrcs + (extension >= 0 ? 4 + 4 * extension : 0));
  head[0] = 0x80 | csrcs | (extension >= 0 ? 0x10 : 0);
  head[1] = 111;
  head.writeUInt16BE(sequence & 0xffff, 2);
  head.writeUInt32BE(sequence * 160, 4);
  head.writeUInt32BE(ssrc, 8);
  for (let i = 0; i < csrcs; i++) head.writeUInt32BE(i + 1, 12 + 4 * i);
  if (extension >= 0) {
    head.writeUInt16BE(0xbede, 12 + 4 * csrcs);
    head.writeUInt16BE(extension, 14 + 4 * csrcs);
  }
  return Buffer.concat([head, random.bytes(payload)]);
}

function rtcp(words: number, ssrc = 0x1234abcd): Buffer {
  const packet = Buffer.concat([Buffer.alloc(8), random.bytes(words * 4)]);
  packet[0] = 0x80;
  packet[1] = 200;
  packet.writeUInt16BE(words + 1, 2);
  packet.writeUInt32BE(ssrc, 4);
  return packet;
}

/** SRTCP with the E bit off: RFC 3711 3.4, RFC 7714 9.3. */
function sealUnencrypted({ profile, key, salt }: SrtpKeys, packet: Buffer, index: number): Buffer {
  const word = Buffer.alloc(4);
  word.writeUInt32BE(index);
  if (profile === srtpProfiles.aesCm128HmacSha1Tag80) {
    const authentication = deriveSessionKey(key, salt, keyLabels.rtcpAuthentication, 20);
    const text = Buffer.concat([packet, word]);
    return Buffer.concat([text, createHmac("sha1", authentication).update(text).digest().subarray(0, 10)]);
  }
  const iv = deriveSessionKey(key, salt, keyLabels.rtcpSalt, 12);
  for (let i = 0; i < 4; i++) {
    iv[2 + i] = (iv[2 + i] ?? 0) ^ (packet[4 + i] ?? 0);
    iv[8 + i] = (iv[8 + i] ?? 0) ^ (word[i] ?? 0);
  }
  const cipher = createCipheriv("aes-128-gcm", deriveSessionKey(key, salt, keyLabels.rtcpEncryption, 16), iv);
  cipher.setAAD(Buffer.concat([packet, word]));
  cipher.final();
  return Buffer.concat([packet, cipher.getAuthTag(), word]);
}

const room = (packet: Buffer): Buffer => Buffer.alloc(packet.length + maxOverheadBytes);
const weriftKeys = ({ key, salt }: SrtpKeys) => ({
  localMasterKey: key,
  localMasterSalt: salt,
  remoteMasterKey: key,
  remoteMasterSalt: salt,
});

describe.each(profiles)("SRTP with $name", (profile) => {
  const keys = makeKeys(profile);
  const protect = (sender: ReturnType<typeof createSrtpSender>, packet: Buffer): Buffer => {
    const out = room(packet);
    const length = sender.protect(packet, packet.length, out);
    expect(length).toBe(packet.length + profile.tag);
    return out.subarray(0, length);
  };
  const unprotect = (receiver: ReturnType<typeof createSrtpReceiver>, packet: Buffer): number => {
    const out = Buffer.alloc(packet.length);
    return receiver.unprotect(packet, packet.length, out);
  };

  it("writes what werift writes, byte for byte, and reads what it writes", () => {
    const werift = new SrtpSession({ profile: profile.profile, keys: weriftKeys(keys) });
    const sender = createSrtpSender(keys);
    const receiver = createSrtpReceiver(keys);
    let sequence = 65500;
    for (const size of [0, 1, 15, 16, 17, 31, 60, 80, 160, 172, 960, 1200])
      for (const shape of [{}, { csrcs: 3 }, { extension: 2 }, { csrcs: 15, extension: 0 }]) {
        const packet = rtp(sequence++, size, shape);
        const ours = protect(sender, packet);
        const header = RtpHeader.deSerialize(packet);
        const theirs = werift.encrypt(packet.subarray(header.payloadOffset), header);
        // werift does not write CSRCs and extensions back as they were; compare where it does.
        if (theirs.subarray(0, header.payloadOffset).equals(packet.subarray(0, header.payloadOffset)))
          expect(ours).toEqual(theirs);
        else expect(shape).not.toEqual({});
        expect(werift.decrypt(Buffer.from(ours))).toEqual(packet);
        const out = Buffer.alloc(ours.length);
        expect(receiver.unprotect(ours, ours.length, out)).toBe(packet.length);
        expect(out.subarray(0, packet.length)).toEqual(packet);
      }
  });

  it("writes and reads SRTCP as werift does", () => {
    const werift = new SrtcpSession({ profile: profile.profile, keys: weriftKeys(keys) });
    const sender = createSrtpSender(keys);
    const receiver = createSrtpReceiver(keys);
    // werift counts from 1, we from 0 as RFC 3711 3.2.1 has it: one packet ahead, the bytes must be equal.
    sender.protectRtcp(rtcp(1), 12, Buffer.alloc(40));
    for (let count = 0; count < 20; count++) {
      const packet = rtcp(count);
      const out = room(packet);
      const length = sender.protectRtcp(packet, packet.length, out);
      expect(length).toBe(packet.length + profile.tag + 4);
      const theirs = werift.encrypt(packet);
      expect(out.subarray(0, length)).toEqual(theirs);
      expect(werift.decrypt(Buffer.from(out.subarray(0, length)))).toEqual(packet);
      const plain = Buffer.alloc(theirs.length);
      expect(receiver.unprotectRtcp(theirs, theirs.length, plain)).toBe(packet.length);
      expect(plain.subarray(0, packet.length)).toEqual(packet);
    }
  });

  it("takes SRTCP that is authentic but not encrypted, and no other", () => {
    const transform =
      profile.profile === srtpProfiles.aeadAes128Gcm
        ? createAesGcmTransform(keys)
        : createAesCmTransform(keys);
    const packet = rtcp(5);
    const secure = sealUnencrypted(keys, packet, 9);
    const receiver = createSrtpReceiver(keys);
    const out = Buffer.alloc(200);
    const forged = Buffer.from(secure);
    forged[10] = (forged[10] ?? 0) ^ 1;
    expect(receiver.unprotectRtcp(forged, forged.length, out)).toBe(srtpFailure.authentication);
    expect(transform.rtcpIndexOffset(secure.length)).toBeGreaterThan(packet.length - 1);
    expect(receiver.unprotectRtcp(secure, secure.length, out)).toBe(packet.length);
    expect(out.subarray(0, packet.length)).toEqual(packet);
    expect(receiver.unprotectRtcp(secure, secure.length, out)).toBe(srtpFailure.replay);
  });

  it("works in place", () => {
    const sender = createSrtpSender(keys);
    const receiver = createSrtpReceiver(keys);
    const packet = rtp(7, 172, { extension: 1 });
    const buffer = room(packet);
    packet.copy(buffer);
    const length = sender.protect(buffer, packet.length, buffer);
    expect(buffer.subarray(12 + 8, packet.length)).not.toEqual(packet.subarray(20));
    expect(receiver.unprotect(buffer, length, buffer)).toBe(packet.length);
    expect(buffer.subarray(0, packet.length)).toEqual(packet);
    const report = rtcp(6);
    const second = room(report);
    report.copy(second);
    const reportLength = sender.protectRtcp(second, report.length, second);
    expect(receiver.unprotectRtcp(second, reportLength, second)).toBe(report.length);
    expect(second.subarray(0, report.length)).toEqual(report);
  });

  it("refuses a packet changed in any byte and takes the true one afterwards", () => {
    const sender = createSrtpSender(keys);
    const receiver = createSrtpReceiver(keys);
    expect(unprotect(receiver, protect(sender, rtp(99, 20)))).toBeGreaterThan(0);
    const packet = rtp(100, 40);
    const secure = protect(sender, packet);
    for (let at = 1; at < secure.length; at++) {
      const bad = Buffer.from(secure);
      bad[at] = (bad[at] ?? 0) ^ 0x10;
      expect(unprotect(receiver, bad)).toBe(srtpFailure.authentication);
    }
    expect(unprotect(receiver, secure)).toBe(packet.length);
    expect(receiver.sources).toBe(1);
  });

  it("drops a replayed packet, at once and after a thousand more", () => {
    const sender = createSrtpSender(keys);
    const receiver = createSrtpReceiver(keys);
    const first = protect(sender, rtp(500, 30));
    expect(unprotect(receiver, first)).toBeGreaterThan(0);
    expect(unprotect(receiver, first)).toBe(srtpFailure.replay);
    for (let i = 1; i <= 2000; i++)
      expect(unprotect(receiver, protect(sender, rtp(500 + i, 1)))).toBeGreaterThan(0);
    expect(unprotect(receiver, first)).toBe(srtpFailure.replay);
  });

  it("drops a replayed RTCP packet", () => {
    const sender = createSrtpSender(keys);
    const receiver = createSrtpReceiver(keys);
    const out = Buffer.alloc(200);
    const length = sender.protectRtcp(rtcp(3), 20, out);
    const secure = Buffer.from(out.subarray(0, length));
    expect(receiver.unprotectRtcp(secure, length, out)).toBe(20);
    expect(receiver.unprotectRtcp(secure, length, out)).toBe(srtpFailure.replay);
  });

  it.each([0, 80, 240, 2000, 30_000])("goes on after %i packets lost across the wrap", (lost) => {
    const sender = createSrtpSender(keys);
    const receiver = createSrtpReceiver(keys);
    const start = 65536 - Math.ceil(lost / 2) - 10;
    for (let i = 0; i < lost + 40; i++) {
      const packet = rtp(start + i, 20);
      const secure = protect(sender, packet);
      if (i >= 5 && i < 5 + lost) continue;
      expect(unprotect(receiver, secure)).toBe(packet.length);
    }
  });

  it("takes packets out of order on both sides of the wrap", () => {
    const sender = createSrtpSender(keys);
    const receiver = createSrtpReceiver(keys);
    const sent = Array.from({ length: 40 }, (_, i) => protect(sender, rtp(65516 + i, 10)));
    const order = [0, 19, 22, 18, 21, 20, 1, 39, 2, 38, 17, 23];
    for (const i of order) expect(unprotect(receiver, sent[i] ?? Buffer.alloc(0))).toBe(22);
    for (const i of order) expect(unprotect(receiver, sent[i] ?? Buffer.alloc(0))).toBe(srtpFailure.replay);
  });

  it("keeps its rollover counter when forged packets pretend a wrap", () => {
    const sender = createSrtpSender(keys);
    const receiver = createSrtpReceiver(keys);
    expect(unprotect(receiver, protect(sender, rtp(65000, 10)))).toBe(22);
    for (let i = 0; i < 300; i++)
      expect(unprotect(receiver, Buffer.concat([rtp(i, 20), random.bytes(profile.tag)]))).toBe(
        srtpFailure.authentication,
      );
    expect(unprotect(receiver, protect(sender, rtp(65001, 10)))).toBe(22);
  });

  it("counts two rollovers", () => {
    const sender = createSrtpSender(keys);
    const receiver = createSrtpReceiver(keys);
    for (let i = 60_000; i < 200_000; i += 9_000)
      expect(unprotect(receiver, protect(sender, rtp(i, 10)))).toBe(22);
  });

  it("remembers no SSRC of packets that are not authentic, and at most 64 of those that are", () => {
    const sender = createSrtpSender(keys);
    const other = createSrtpSender(keys);
    const receiver = createSrtpReceiver(keys);
    for (let i = 0; i < 200; i++)
      expect(unprotect(receiver, Buffer.concat([rtp(1, 20, { ssrc: i }), random.bytes(16)]))).toBe(
        srtpFailure.authentication,
      );
    expect(receiver.sources).toBe(0);
    for (let i = 0; i < 64; i++)
      expect(unprotect(receiver, protect(sender, rtp(1, 5, { ssrc: i })))).toBe(17);
    expect(unprotect(receiver, protect(other, rtp(1, 5, { ssrc: 64 })))).toBe(srtpFailure.tooManySources);
    expect(sender.protect(rtp(1, 5, { ssrc: 64 }), 17, Buffer.alloc(60))).toBe(srtpFailure.tooManySources);
    expect(receiver.sources).toBe(64);
  });

  it("refuses to use a sequence number twice when sending", () => {
    const sender = createSrtpSender(keys);
    const packet = rtp(9, 20);
    protect(sender, packet);
    expect(sender.protect(packet, packet.length, room(packet))).toBe(srtpFailure.replay);
  });

  it("calls malformed what is no RTP packet or does not fit", () => {
    const sender = createSrtpSender(keys);
    const receiver = createSrtpReceiver(keys);
    const good = rtp(1, 20);
    const version1 = Buffer.from(good);
    version1[0] = 0x40;
    const csrcsBeyondEnd = Buffer.from(good);
    csrcsBeyondEnd[0] = 0x8f;
    const extensionBeyondEnd = rtp(1, 4, { extension: 0 });
    extensionBeyondEnd.writeUInt16BE(0xffff, 14);
    const out = Buffer.alloc(4096);
    for (const bad of [Buffer.alloc(0), good.subarray(0, 11), version1, csrcsBeyondEnd, extensionBeyondEnd]) {
      expect(sender.protect(bad, bad.length, out)).toBe(srtpFailure.malformed);
      expect(receiver.unprotect(bad, bad.length, out)).toBe(srtpFailure.malformed);
    }
    expect(sender.protect(good, good.length, Buffer.alloc(good.length))).toBe(srtpFailure.malformed);
    expect(sender.protect(good, good.length + 1, out)).toBe(srtpFailure.malformed);
    expect(receiver.unprotect(rtp(1, 0), 12, out)).toBe(srtpFailure.malformed);
    expect(receiver.unprotect(rtp(1, 3000), 3012, out)).toBe(srtpFailure.malformed);
    expect(sender.protect(rtp(1, 3000), 3012, out)).toBe(srtpFailure.malformed);
    for (const bad of [Buffer.alloc(0), Buffer.alloc(40), rtcp(0).subarray(0, 7)]) {
      expect(sender.protectRtcp(bad, bad.length, out)).toBe(srtpFailure.malformed);
      expect(receiver.unprotectRtcp(bad, bad.length, out)).toBe(srtpFailure.malformed);
    }
    expect(sender.protectRtcp(rtcp(2), 16, Buffer.alloc(16))).toBe(srtpFailure.malformed);
    expect(receiver.unprotectRtcp(rtcp(0), 8, out)).toBe(srtpFailure.malformed);
  });

  it("survives 20,000 mutated packets without taking one", () => {
    const sender = createSrtpSender(keys);
    const receiver = createSrtpReceiver(keys);
    const secure = protect(sender, rtp(100, 40, { csrcs: 1, extension: 1 }));
    const noise = random.bytes(1024);
    for (let i = 0; i < 20_000; i++) {
      const bad = Buffer.from(secure.subarray(0, secure.length - (i % 7)));
      bad[i % bad.length] = (bad[i % bad.length] ?? 0) ^ ((noise[i % 1024] ?? 0) | 1);
      expect(unprotect(receiver, bad)).toBeLessThan(0);
    }
  });

  it("refuses keys of the wrong length", () => {
    expect(() => createSrtpSender({ ...keys, key: Buffer.alloc(15) })).toThrow(RangeError);
    expect(() => createSrtpReceiver({ ...keys, salt: Buffer.alloc(13) })).toThrow(RangeError);
  });
});

describe("SRTP with another key", () => {
  it("fails authentication", () => {
    for (const profile of profiles) {
      const packet = rtp(1, 20);
      const out = room(packet);
      const length = createSrtpSender(makeKeys(profile)).protect(packet, packet.length, out);
      expect(createSrtpReceiver(makeKeys(profile)).unprotect(out, length, out)).toBe(
        srtpFailure.authentication,
      );
    }
  });

  it("names each failure for the counters", () => {
    for (const [name, code] of Object.entries(srtpFailure)) expect(srtpFailureName(code)).toBe(name);
    expect(srtpFailureName(-99)).toBe("malformed");
  });
});
