import { describe, expect, it } from "vitest";
import { emptyRtpHeader, readRtp } from "../../../src/media/rtp/packet.ts";
import { SendLine } from "../../../src/media/rtp/send-line.ts";
import { CountingRandom } from "../../support/counting-random.ts";

function stamp(line: SendLine, position: number, now = 0): ReturnType<typeof emptyRtpHeader> {
  const packet = Buffer.alloc(172);
  line.stamp(packet, packet.length, 0, false, position, now);
  const header = emptyRtpHeader();
  readRtp(packet, packet.length, header);
  return header;
}

describe("the line we send on", () => {
  it("keeps its SSRC, counts packets and payload bytes, and starts below half the sequence space", () => {
    const line = new SendLine(42, new CountingRandom());
    const first = stamp(line, 0);
    const second = stamp(line, 160);
    expect([first.ssrc, second.ssrc]).toEqual([42, 42]);
    expect(first.sequence).toBeLessThan(0x8000);
    expect(second.sequence).toBe(first.sequence + 1);
    expect([line.packets, line.octets]).toEqual([2, 320]);
  });

  it("starts at another sequence number and timestamp each time (RFC 3550 5.1)", () => {
    const random = new CountingRandom();
    const starts = Array.from({ length: 5 }, () => stamp(new SendLine(1, random), 0));
    expect(new Set(starts.map(({ sequence }) => sequence)).size).toBe(5);
    expect(new Set(starts.map(({ timestamp }) => timestamp)).size).toBe(5);
  });

  it("joins timestamps without a jump when the clock rate changes", () => {
    const line = new SendLine(1, new CountingRandom());
    const start = stamp(line, 0).timestamp;
    expect(stamp(line, 160).timestamp - start).toBe(160);
    line.setClockRate(48000, 320);
    expect(stamp(line, 320).timestamp - start).toBe(320);
    expect(stamp(line, 480).timestamp - start).toBe(320 + 960);
    line.setClockRate(8000, 640);
    expect(stamp(line, 800).timestamp - start).toBe(320 + 1920 + 160);
  });

  it("tells the timestamp of this moment for sender reports", () => {
    const line = new SendLine(1, new CountingRandom());
    const { timestamp } = stamp(line, 0, 1000);
    expect(line.timestampNow(1500)).toBe((timestamp + 4000) >>> 0);
  });
});
