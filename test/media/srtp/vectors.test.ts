import { createCipheriv, createHmac, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { CounterMode } from "../../../src/media/srtp/aes-cm.ts";
import { createGcmSessionTransform } from "../../../src/media/srtp/aes-gcm.ts";
import { HmacSha1 } from "../../../src/media/srtp/hmac-sha1.ts";
import { deriveSessionKey, keyLabels } from "../../../src/media/srtp/key-derivation.ts";
import { srtpFailure } from "../../../src/media/srtp/profile.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ""), "hex");

describe("published SRTP vectors", () => {
  it("derives the session keys of RFC 3711 B.3", () => {
    const key = hex("E1F97A0D3E018BE0D64FA32C06DE4139");
    const salt = hex("0EC675AD498AFEEBB6960B3AABE6");
    expect(deriveSessionKey(key, salt, keyLabels.rtpEncryption, 16)).toEqual(
      hex("C61E7A93744F39EE10734AFE3FF7A087"),
    );
    expect(deriveSessionKey(key, salt, keyLabels.rtpSalt, 14)).toEqual(hex("30CBBC08863D8C85D49DB34A9AE1"));
    expect(deriveSessionKey(key, salt, keyLabels.rtpAuthentication, 20)).toEqual(
      hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"),
    );
  });

  it("makes the AES-CM keystream of RFC 3711 B.2", () => {
    const counter = new CounterMode(
      hex("2B7E151628AED2A6ABF7158809CF4F3C"),
      hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"),
    );
    const stream = Buffer.alloc(48);
    counter.apply(stream, stream, 0, 48, 0, 0, 0);
    expect(stream).toEqual(
      hex(`E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB
           41E95B3BB0A2E8DD477901E4FCA894C0`),
    );
  });

  it("makes the same keystream ahead as packet by packet, whatever is lost, late, long or of another source", () => {
    const key = randomBytes(16);
    const salt = randomBytes(14);
    const counter = new CounterMode(key, salt);
    const check = (ssrc: number, high: number, low: number, size: number): void => {
      const iv = Buffer.concat([salt, Buffer.alloc(2)]);
      const mask = Buffer.alloc(16);
      mask.writeUInt32BE(ssrc, 4);
      mask.writeUInt32BE(high, 8);
      mask.writeUInt16BE(low, 12);
      for (let i = 0; i < 16; i++) iv[i] = (iv[i] ?? 0) ^ (mask[i] ?? 0);
      const text = randomBytes(size + 12);
      const expected = createCipheriv("aes-128-ctr", key, iv).update(text.subarray(12));
      const out = Buffer.alloc(text.length);
      counter.apply(text, out, 12, text.length, ssrc, high, low);
      expect(out.subarray(12).equals(expected)).toBe(true);
    };
    let high = 0;
    let low = 65_000;
    const below = (limit: number): number => Math.floor(Math.random() * limit);
    for (let packet = 0; packet < 3000; packet++) {
      const step = packet % 50 === 0 ? below(300) : packet % 7 === 0 ? 3 : 1;
      low += step;
      if (low > 0xffff) {
        high++;
        low -= 0x10000;
      }
      check(0x12345678, high, low, packet % 40 === 0 ? below(1400) : 40 + below(130));
      if (packet % 11 === 0 && low > 10) check(0x12345678, high, low - 1 - below(10), 160);
      if (packet % 97 === 0) check(0x87654321, 0, below(0x10000), 160);
    }
  });

  const gcm = createGcmSessionTransform({
    rtpKey: hex("000102030405060708090a0b0c0d0e0f"),
    rtpSalt: hex("517569642070726f2071756f"),
    rtcpKey: hex("000102030405060708090a0b0c0d0e0f"),
    rtcpSalt: hex("517569642070726f2071756f"),
  });
  const rtp = hex(`8040f17b8041f8d35501a0b2 47616c6c696120657374206f6d6e6973206469766973
                   6120696e207061727465732074726573`);
  const srtp =
    hex(`8040f17b8041f8d35501a0b2 f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de
                    3adf8833 899d7f27beb16a9152cf765ee4390cce`);
  const rtcp =
    hex(`81c8000d4d617273 4e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdead
                    beefdeadbeef`);
  const srtcp =
    hex(`81c8000d4d617273 63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded
                     0bb9275bc84aa45896cf4d2fc5abf87245d9eade 800005d4`);

  it("seals and opens the AEAD_AES_128_GCM packet of RFC 7714 16.1", () => {
    const out = Buffer.alloc(100);
    expect(gcm.sealRtp(rtp, 12, rtp.length, 0x5501a0b2, 0, out)).toBe(srtp.length);
    expect(out.subarray(0, srtp.length)).toEqual(srtp);
    expect(gcm.openRtp(srtp, 12, srtp.length, 0x5501a0b2, 0, out)).toBe(rtp.length);
    expect(out.subarray(0, rtp.length)).toEqual(rtp);
  });

  it("seals and opens the SRTCP packet of RFC 7714 17.1", () => {
    const out = Buffer.alloc(100);
    expect(gcm.sealRtcp(rtcp, rtcp.length, 0x4d617273, 0x5d4, out)).toBe(srtcp.length);
    expect(out.subarray(0, srtcp.length)).toEqual(srtcp);
    expect(gcm.openRtcp(srtcp, srtcp.length, 0x4d617273, 0x5d4, true, out)).toBe(rtcp.length);
    expect(out.subarray(0, rtcp.length)).toEqual(rtcp);
  });

  it("refuses the RFC 7714 packet with one bit of header, text or tag turned", () => {
    for (const at of [1, 20, srtp.length - 1]) {
      const bad = Buffer.from(srtp);
      bad[at] = (bad[at] ?? 0) ^ 1;
      expect(gcm.openRtp(bad, 12, bad.length, 0x5501a0b2, 0, bad)).toBe(srtpFailure.authentication);
    }
  });
});

describe("HmacSha1", () => {
  it("agrees with node:crypto for every length around the block borders, with and without trailer", () => {
    const key = hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4");
    const mac = new HmacSha1(key);
    const data = Buffer.alloc(300, 0).map((_, i) => i * 7);
    for (let length = 0; length <= 300; length++) {
      mac.compute(data, length);
      const text = Buffer.from(data.subarray(0, length));
      expect(Buffer.from(mac.digest)).toEqual(createHmac("sha1", key).update(text).digest());
      mac.computeWithTrailer(data, length, 0xfedcba98);
      expect(Buffer.from(mac.digest)).toEqual(
        createHmac("sha1", key).update(text).update(hex("fedcba98")).digest(),
      );
    }
  });

  it("matches only the same bytes", () => {
    const mac = new HmacSha1(hex("00"));
    mac.compute(Buffer.from("abc"), 3);
    const tag = Buffer.from(mac.digest);
    expect(mac.matches(tag, 0, 20)).toBe(true);
    for (let i = 0; i < 20; i++) {
      const bad = Buffer.from(tag);
      bad[i] = (bad[i] ?? 0) ^ 0x80;
      expect(mac.matches(bad, 0, 20)).toBe(false);
    }
  });

  it("refuses a key longer than a block", () => {
    expect(() => new HmacSha1(Buffer.alloc(65))).toThrow(RangeError);
  });
});
