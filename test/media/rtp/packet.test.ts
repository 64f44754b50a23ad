import { describe, expect, it } from "vitest";
import { emptyRtpHeader, maxRtpLength, readRtp, writeRtpHeader } from "../../../src/media/rtp/packet.ts";
import { CountingRandom } from "../../support/counting-random.ts";

function read(hex: string): ReturnType<typeof emptyRtpHeader> | undefined {
  const packet = Buffer.from(hex.replaceAll(" ", ""), "hex");
  const header = emptyRtpHeader();
  return readRtp(packet, packet.length, header) ? header : undefined;
}

const fixed = "8000 1234 01020304 a0b0c0d0";

describe("reading an RTP packet", () => {
  it("takes apart a plain header", () => {
    expect(read(`80ff ffff fffffffe a0b0c0d0 aabbcc`)).toEqual({
      payloadType: 127,
      marker: true,
      sequence: 0xffff,
      timestamp: 0xfffffffe,
      ssrc: 0xa0b0c0d0,
      payloadOffset: 12,
      payloadLength: 3,
    });
  });

  it.each([
    ["CSRC list", `8200 1234 01020304 a0b0c0d0 11111111 22222222 aabb`, 20, 2],
    ["header extension", `9000 1234 01020304 a0b0c0d0 bede0001 10ff0000 aabb`, 20, 2],
    ["empty header extension", `9000 1234 01020304 a0b0c0d0 bede0000 aa`, 16, 1],
    ["padding", `a000 1234 01020304 a0b0c0d0 aabb 000003`, 12, 2],
    ["padding only", `a000 1234 01020304 a0b0c0d0 000003`, 12, 0],
    ["no payload", fixed, 12, 0],
  ])("steps over %s", (_name, hex, offset, length) => {
    expect(read(hex)).toMatchObject({ payloadOffset: offset, payloadLength: length, ssrc: 0xa0b0c0d0 });
  });

  it.each([
    ["eleven bytes", "8000 1234 01020304 a0b0c0"],
    ["version 1", `4000 1234 01020304 a0b0c0d0`],
    ["version 3", `c000 1234 01020304 a0b0c0d0`],
    ["CSRC list beyond the end", `8f00 1234 01020304 a0b0c0d0 1111`],
    ["extension header cut off", `9000 1234 01020304 a0b0c0d0 bede`],
    ["extension beyond the end", `9000 1234 01020304 a0b0c0d0 bedeffff 00`],
    ["padding of no bytes", `a000 1234 01020304 a0b0c0d0 aa00`],
    ["padding into the header", `a000 1234 01020304 a0b0c0d0 aaff`],
  ])("refuses %s", (_name, hex) => {
    expect(read(hex)).toBeUndefined();
  });

  it("refuses what is longer than a voice packet can be, or than the buffer", () => {
    const packet = Buffer.alloc(maxRtpLength + 1);
    packet[0] = 0x80;
    expect(readRtp(packet, maxRtpLength + 1, emptyRtpHeader())).toBe(false);
    expect(readRtp(packet, maxRtpLength, emptyRtpHeader())).toBe(true);
    expect(readRtp(Buffer.from(fixed.replaceAll(" ", ""), "hex"), 13, emptyRtpHeader())).toBe(false);
  });

  it("never throws and never points outside, whatever the bytes", () => {
    const random = new CountingRandom();
    const header = emptyRtpHeader();
    for (let round = 0; round < 2000; round++) {
      const packet = random.bytes(Math.floor(random.fraction() * 60));
      if (packet.length > 0 && round % 2 === 0) packet[0] = ((packet[0] ?? 0) & 0x3f) | 0x80;
      if (!readRtp(packet, packet.length, header)) continue;
      expect(header.payloadLength).toBeGreaterThanOrEqual(0);
      expect(header.payloadOffset + header.payloadLength).toBeLessThanOrEqual(packet.length);
    }
  });
});

describe("writing an RTP header", () => {
  it("writes what reading gives back", () => {
    const packet = Buffer.alloc(14, 0xff);
    writeRtpHeader(packet, 111, true, 0xfffe, 0xdeadbeef, 0xcafebabe);
    const header = emptyRtpHeader();
    expect(readRtp(packet, packet.length, header)).toBe(true);
    expect(header).toEqual({
      payloadType: 111,
      marker: true,
      sequence: 0xfffe,
      timestamp: 0xdeadbeef,
      ssrc: 0xcafebabe,
      payloadOffset: 12,
      payloadLength: 2,
    });
  });
});
