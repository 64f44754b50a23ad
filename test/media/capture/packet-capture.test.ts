import { describe, expect, it } from "vitest";
import { CountingRandom } from "../../support/counting-random.ts";
import { rtp } from "../relay/relay-double.ts";
import { CaptureDouble } from "./capture-double.ts";

const sound = Buffer.from(Array.from({ length: 160 }, (_, index) => 0x40 + (index % 50)));
const voice = (index: number): Buffer => rtp(0, index, index * 160, sound);
/** Record, IP, UDP and RTP header: what a packet cut behind its header takes in the file. */
const cutRecord = 16 + 28 + 12;

describe("a packet capture", () => {
  it("writes each packet with addresses, ports, lengths and the wall clock's time, by microseconds", async () => {
    const { capture, tap, file, clock, rtp: receive } = bound(new CaptureDouble());
    receive(voice(1));
    clock.advance(20.25);
    tap.rtp(true, voice(2), 172, "198.51.100.7", 5002);
    tap.rtcp(true, Buffer.from("81c9000100000001", "hex").subarray(0, 8), 8, "198.51.100.7", 5003);
    capture.end("stopped");
    expect(await capture.ended).toEqual({
      file: "call.pcap",
      packets: 3,
      leftOut: 0,
      reason: "stopped",
      bytes: 24 + 2 * cutRecord + 16 + 28 + 8,
    });
    const start = Date.UTC(2026, 10, 21, 12) * 1000;
    expect(file.packets).toMatchObject([
      { time: start, from: "198.51.100.7:5000", to: "192.0.2.1:4000", length: 172 },
      { time: start + 20_250, from: "192.0.2.1:4000", to: "198.51.100.7:5002", length: 172 },
      { from: "192.0.2.1:4001", to: "198.51.100.7:5003", length: 8 },
    ]);
    expect(file.closed).toBe(true);
  });

  it("is byte for byte what the formats say", async () => {
    const { capture, file, rtp: receive } = bound(new CaptureDouble({ payload: true }));
    receive(Buffer.from("80000001000000a00000000955", "hex"));
    capture.end("stopped");
    await capture.ended;
    const ip = "45000029000100004011e6a7c6336407c0000201".replace("e6a7", checksum(file.content));
    expect(file.content.toString("hex")).toBe(
      "d4c3b2a10200040000000000000000002c08000065000000" +
        `${le(Date.UTC(2026, 10, 21, 12) / 1000)}00000000` +
        `2900000029000000${ip}` +
        `13880fa00015${file.content.subarray(66, 68).toString("hex")}80000001000000a00000000955`,
    );
    // The sums themselves are worked out anew by the reader.
    expect(file.packets).toMatchObject([{ udpChecksum: "right" }]);
  });

  it("keeps nothing behind the RTP header, unless payload is asked for", async () => {
    for (const payload of [false, true]) {
      const { capture, file, rtp: receive } = bound(new CaptureDouble({ payload }));
      receive(voice(1));
      capture.end("stopped");
      await capture.ended;
      expect(file.content.includes(sound.subarray(0, 4))).toBe(payload);
      expect(file.packets[0]?.data.length).toBe(payload ? 172 : 12);
    }
  });

  it("keeps CSRCs and header extension with the header", async () => {
    const { capture, file, rtp: receive } = bound(new CaptureDouble());
    const header = Buffer.from("92000001000000a000000009", "hex");
    const more = Buffer.from("0000000a0000000bbede000110ff0000", "hex");
    receive(Buffer.concat([header, more, sound]));
    capture.end("stopped");
    await capture.ended;
    expect(file.packets[0]?.data).toEqual(Buffer.concat([header, more]));
  });

  it("holds nothing by which one digit's events could be told from another's", async () => {
    const files = [5, 9].map(async (digit) => {
      const { capture, file, rtp: receive } = bound(new CaptureDouble());
      receive(rtp(101, 1, 160, Buffer.from([digit, 10, 0, 160])));
      receive(rtp(101, 2, 160, Buffer.from([digit, 0x8a, 3, 32])));
      capture.end("stopped");
      await capture.ended;
      return file.content.toString("hex");
    });
    const [five, nine] = await Promise.all(files);
    // Not even the UDP checksum, which would give the digit away.
    expect(five).toBe(nine);
  });

  it.each([
    [
      "a header longer than the packet",
      Buffer.concat([Buffer.from("8f000001000000a000000009", "hex"), sound.subarray(0, 20)]),
      12,
    ],
    [
      "an extension longer than the packet",
      Buffer.concat([Buffer.from("90000001000000a000000009bede00ff", "hex"), sound]),
      12,
    ],
    ["what is no RTP", Buffer.concat([Buffer.from("00000001000000a000000009", "hex"), sound]), 0],
    ["less than a header", sound.subarray(0, 5), 0],
  ])("keeps little of %s", async (_what, packet, kept) => {
    const { capture, file, rtp: receive } = bound(new CaptureDouble());
    receive(packet);
    capture.end("stopped");
    await capture.ended;
    expect(file.packets).toMatchObject([{ length: packet.length, data: packet.subarray(0, kept) }]);
  });

  it("keeps RTCP whole, but not what comes to the RTCP port and is none", async () => {
    const { capture, tap, file } = bound(new CaptureDouble());
    const compound = Buffer.from("80c900010000000181ca0003000000010104616263640000", "hex");
    for (const packet of [compound, Buffer.concat([compound, sound]), voice(1)])
      tap.rtcp(false, packet, packet.length, "198.51.100.7", 5001);
    capture.end("stopped");
    await capture.ended;
    expect(file.packets.map(({ data }) => data.length)).toEqual([compound.length, 8, 8]);
    expect(file.content.includes(sound.subarray(0, 4))).toBe(false);
  });

  it("ends at its size, and never writes a byte more", async () => {
    const { capture, file, rtp: receive } = bound(new CaptureDouble({ bytes: 24 + 10 * cutRecord }));
    for (let index = 0; index < 11; index++) receive(voice(index));
    expect(await capture.ended).toMatchObject({
      packets: 10,
      bytes: 24 + 10 * cutRecord,
      reason: "size limit",
    });
    expect(file.packets).toHaveLength(10);
  });

  it("ends at its time, with what came until then in the file", async () => {
    const double = bound(new CaptureDouble({ durationMs: 5000 }));
    const { capture, clock, file, rtp: receive } = double;
    clock.advance(4999);
    receive(voice(1));
    expect(double.endings).toBe(0);
    clock.advance(1);
    receive(voice(2));
    expect(await capture.ended).toMatchObject({ packets: 1, leftOut: 0, reason: "time limit" });
    expect(double.endings).toBe(1);
    expect(file.packets).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it("gathers packets for a write, and lets none lie longer than half a second", async () => {
    const { clock, file, rtp: receive, capture } = bound(new CaptureDouble());
    await turns();
    expect([file.writes, file.content.length]).toEqual([1, 24]);
    receive(voice(1));
    receive(voice(2));
    clock.advance(499);
    await turns();
    expect(file.writes).toBe(1);
    clock.advance(1);
    await turns();
    expect(file.packets).toHaveLength(2);
    capture.end("stopped");
    await capture.ended;
  });

  it("leaves packets out while the disk is slow, counts them, and goes on when it is not", async () => {
    const {
      capture,
      file,
      clock,
      rtp: receive,
    } = bound(new CaptureDouble({ bytes: 100_000_000, payload: true }));
    await turns();
    file.slow = true;
    const size = 16 + 28 + 172;
    for (let index = 0; index < 10_000; index++) receive(voice(index));
    clock.advance(30_000);
    await turns();
    // One buffer on its way and one that is full: no more is held.
    expect(file.writes).toBe(2);
    file.release();
    await turns();
    receive(voice(1));
    capture.end("stopped");
    const { packets, leftOut } = await capture.ended;
    expect(packets + leftOut).toBe(10_001);
    expect(packets * size).toBeLessThanOrEqual(2 * 256 * 1024);
    expect(packets).toBeGreaterThan(1000);
    expect(file.packets).toHaveLength(packets);
  });

  it("ends when a write fails, and leaves whole records behind", async () => {
    const double = bound(new CaptureDouble());
    const { capture, file, clock, rtp: receive } = double;
    await turns();
    receive(voice(1));
    clock.advance(500);
    await turns();
    file.failWith = "ENOSPC";
    receive(voice(2));
    clock.advance(500);
    expect(await capture.ended).toMatchObject({ packets: 1, leftOut: 1, reason: "write failed: ENOSPC" });
    expect(double.endings).toBe(1);
    expect(file.packets).toHaveLength(1);
    expect(file.closed).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it("leaves out, and counts, what has no IPv4 address or is too long", async () => {
    const { capture, tap } = bound(new CaptureDouble());
    for (const address of ["2001:db8::1", "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "a.b.c.d"])
      tap.rtp(false, voice(1), 172, address, 5000);
    tap.rtp(false, Buffer.alloc(3000), 3000, "192.0.2.9", 5000);
    capture.end("stopped");
    expect(await capture.ended).toMatchObject({ packets: 0, leftOut: 7 });
  });

  it("takes any bytes for RTP or RTCP without a fault, and the file stays whole", async () => {
    const { capture, tap, file } = bound(new CaptureDouble({ bytes: 10_000_000 }));
    const random = new CountingRandom();
    for (let index = 0; index < 5000; index++) {
      const packet = random.bytes(index % 60);
      if (packet.length > 1 && index % 3 > 0) packet[0] = 0x80 | ((packet[0] ?? 0) & 0x3f);
      if (packet.length > 1 && index % 4 > 1) packet[1] = 192 + ((packet[1] ?? 0) & 31);
      tap[index % 2 === 0 ? "rtp" : "rtcp"](index % 5 === 0, packet, packet.length, "192.0.2.9", index);
      if (index % 500 === 0) await turns();
    }
    capture.end("stopped");
    expect(await capture.ended).toMatchObject({ packets: 5000, leftOut: 0 });
    expect(file.packets).toHaveLength(5000);
  });

  it("has one end: the first", async () => {
    const double = new CaptureDouble();
    double.capture.end("call ended");
    double.capture.end("stopped");
    expect(await double.capture.ended).toMatchObject({ reason: "call ended", packets: 0, bytes: 24 });
    expect(double.endings).toBe(1);
  });
});

/** With `rtp` as a function of its own, and the rest at hand. */
function bound(double: CaptureDouble) {
  return {
    capture: double.capture,
    tap: double.tap,
    file: double.file,
    clock: double.clock,
    rtp: (packet: Buffer) => double.rtp(packet),
    get endings() {
      return double.endings;
    },
  };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

function le(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes.toString("hex");
}

/** The IP header's checksum as it stands in the file's first packet. */
function checksum(file: Buffer): string {
  return file.subarray(50, 52).toString("hex");
}
