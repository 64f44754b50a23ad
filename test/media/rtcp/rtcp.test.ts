import { describe, expect, it } from "vitest";
import {
  ntpMiddle,
  ntpTime,
  readRtcp,
  writeReport,
  type ReportBlock,
  type RtcpListener,
} from "../../../src/media/rtcp/packet.ts";
import { RtcpReporter } from "../../../src/media/rtcp/reporter.ts";
import { SendLine } from "../../../src/media/rtp/send-line.ts";
import { ReceivedSource } from "../../../src/media/rtp/source.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { FakeClock } from "../../support/fake-clock.ts";

class Listener implements RtcpListener {
  readonly reports: [number, number][] = [];
  readonly blocks: ReportBlock[] = [];
  readonly byes: number[] = [];
  feedback = 0;
  onSenderReport(ssrc: number, middle: number): void {
    this.reports.push([ssrc, middle]);
  }
  onReportBlock(block: Readonly<ReportBlock>): void {
    this.blocks.push({ ...block });
  }
  onBye(ssrc: number): void {
    this.byes.push(ssrc);
  }
  onFeedback(): void {
    this.feedback++;
  }
}

function read(packet: Buffer): Listener | undefined {
  const listener = new Listener();
  return readRtcp(packet, packet.length, listener) ? listener : undefined;
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ""), "hex");

const senderReport = `81c8000c 0000002a 11112222 33334444 00005555 00000064 00003e80
  0000002b ff fffffe 0001000a 00000050 aaaabbbb 00010000`;

describe("reading RTCP", () => {
  it("takes a sender report with a block, SDES, BYE and feedback out of one compound packet", () => {
    const listener = read(
      hex(
        `${senderReport} 81ca0003 0000002a 0103 616263 000000 81cb0001 0000002a 81ce0002 0000002a 0000002b`,
      ),
    );
    expect(listener?.reports).toEqual([[0x2a, 0x22223333]]);
    expect(listener?.blocks).toEqual([
      {
        ssrc: 0x2b,
        fractionLost: 255,
        cumulativeLost: -2,
        jitter: 80,
        lastReport: 0xaaaabbbb,
        delaySinceLastReport: 0x10000,
      },
    ]);
    expect(listener?.byes).toEqual([0x2a]);
    expect(listener?.feedback).toBe(1);
  });

  it("takes a receiver report and one of reduced size (RFC 5506)", () => {
    expect(read(hex("80c90001 00000001"))?.blocks).toEqual([]);
    expect(read(hex("82cd0003 00000001 00000002 12345678"))?.feedback).toBe(1);
  });

  it.each([
    ["seven bytes", "80c90001 000000"],
    ["another version", "40c90001 00000001"],
    ["a length beyond the end", "80c90002 00000001"],
    ["bytes left over", "80c90001 00000001 80"],
    ["a second packet cut off", "80c90001 00000001 80ca0009 00000001"],
  ])("refuses %s whole", (_name, text) => {
    expect(read(hex(text))).toBeUndefined();
  });

  it("refuses more packets in one than an honest sender makes", () => {
    expect(read(hex("80c90001 00000001".repeat(32)))).toBeDefined();
    expect(read(hex("80c90001 00000001".repeat(33)))).toBeUndefined();
  });

  it("does not believe a count of blocks or byes that the packet has no room for", () => {
    expect(read(hex("9fc90001 00000001"))?.blocks).toEqual([]);
    expect(read(hex("9fcb0001 00000007"))?.byes).toEqual([7]);
    expect(read(hex("9fc80001 00000007"))?.reports).toEqual([]);
  });

  it("never throws, whatever the bytes", () => {
    const random = new CountingRandom();
    for (let round = 0; round < 2000; round++) {
      const packet = random.bytes(Math.floor(random.fraction() * 80));
      if (packet.length > 3) {
        packet[0] = 0x80 | ((packet[0] ?? 0) & 0x1f);
        packet[1] = 200 + (round % 8);
        packet.writeUInt16BE(round % 3 === 0 ? packet.length / 4 - 1 : round % 20, 2);
      }
      expect(() => read(packet)).not.toThrow();
    }
  });
});

describe("writing RTCP", () => {
  const reception = {
    ssrc: 9,
    fractionLost: 12,
    cumulativeLost: -3,
    extendedHighestSequence: 0x1_0005,
    jitter: 77,
    lastReport: 0x01020304,
    delaySinceLastReport: 0x8000,
  };

  it("writes what reading gives back, padded to whole words for any length of name", () => {
    for (const cname of ["", "a", "ab", "abc", "abcd", "x".repeat(300)]) {
      const packet = Buffer.alloc(1500);
      const sender = {
        ntp: { seconds: 0x11112222, fraction: 0x33334444 },
        rtpTimestamp: 5,
        packets: 6,
        octets: 7,
      };
      const length = writeReport(packet, { ssrc: 8, cname, sender, reception, bye: true });
      const listener = read(packet.subarray(0, length));
      expect(listener?.reports).toEqual([[8, 0x22223333]]);
      expect(listener?.blocks).toEqual([
        {
          ssrc: 9,
          fractionLost: 12,
          cumulativeLost: -3,
          jitter: 77,
          lastReport: 0x01020304,
          delaySinceLastReport: 0x8000,
        },
      ]);
      expect(listener?.byes).toEqual([8]);
    }
  });

  it("is a receiver report when nothing was sent", () => {
    const packet = Buffer.alloc(200);
    const length = writeReport(packet, { ssrc: 8, cname: "n" });
    expect(packet.subarray(0, length).toString("hex")).toBe("80c900010000000881ca00020000000801016e00");
  });

  it("has times as NTP has them", () => {
    expect(ntpTime(Date.UTC(1970, 0, 1))).toEqual({ seconds: 2_208_988_800, fraction: 0 });
    expect(ntpTime(500).fraction).toBe(0x80000000);
    expect(ntpMiddle({ seconds: 0x11112222, fraction: 0x33334444 })).toBe(0x22223333);
  });
});

function reporter(): {
  clock: FakeClock;
  line: SendLine;
  source: ReceivedSource;
  rtcp: RtcpReporter;
  sent: Buffer[];
  losses: number[];
} {
  const clock = new FakeClock();
  const line = new SendLine(0x77, new CountingRandom());
  const source = new ReceivedSource();
  const sent: Buffer[] = [];
  const losses: number[] = [];
  const rtcp = new RtcpReporter({
    line,
    source,
    clock,
    random: new CountingRandom(),
    cname: "name",
    send: (packet, length) => sent.push(Buffer.from(packet.subarray(0, length))),
    onLoss: (percent) => losses.push(percent),
  });
  return { clock, line, source, rtcp, sent, losses };
}

describe("reporting", () => {
  it("sends reports 2.5 to 7.5 s apart, the first sooner, not in step", () => {
    const { clock, rtcp, sent } = reporter();
    const times: number[] = [];
    for (let now = 0; now < 120_000; now += 20) {
      clock.advance(20);
      rtcp.tick(clock.now());
      if (sent.length > times.length) times.push(clock.now());
    }
    expect(times[0]).toBeLessThanOrEqual(3800);
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    for (const gap of gaps) {
      expect(gap).toBeGreaterThanOrEqual(2500);
      expect(gap).toBeLessThanOrEqual(7520);
    }
    expect(new Set(gaps).size).toBeGreaterThan(gaps.length / 2);
  });

  it("is a sender's while we send and a receiver's while we do not", () => {
    const { clock, line, rtcp, sent } = reporter();
    line.stamp(Buffer.alloc(172), 172, 0, false, 0, 0);
    for (let step = 0; sent.length < 2; step++) {
      clock.advance(20);
      rtcp.tick(clock.now());
    }
    expect(sent.map((packet) => packet[1])).toEqual([200, 201]);
    expect(sent[0]?.readUInt32BE(20)).toBe(1);
    expect(sent[0]?.readUInt32BE(24)).toBe(160);
  });

  it("gives the far end's report time back so that it can measure the round trip", () => {
    const { clock, source, rtcp, sent } = reporter();
    source.receive(0x2a, 1, 0);
    rtcp.receive(hex(senderReport), 52);
    clock.advance(1000);
    rtcp.bye(clock.now());
    expect(sent).toEqual([]);
    for (let step = 0; sent.length === 0; step++) {
      clock.advance(20);
      rtcp.tick(clock.now());
    }
    const heard = read(sent[0] ?? Buffer.alloc(0));
    expect(heard?.blocks[0]).toMatchObject({ ssrc: 0x2a, lastReport: 0x22223333 });
    expect(heard?.blocks[0]?.delaySinceLastReport).toBe(Math.round((clock.now() * 65536) / 1000));
  });

  it("measures the round trip and notes loss and jitter the far end reports", () => {
    const { clock, rtcp, losses } = reporter();
    clock.advance(10_000);
    const packet = Buffer.alloc(200);
    const length = writeReport(packet, {
      ssrc: 1,
      cname: "",
      reception: {
        ssrc: 0x77,
        fractionLost: 64,
        cumulativeLost: 1,
        extendedHighestSequence: 1,
        jitter: 80,
        lastReport: ntpMiddle(ntpTime(clock.wallClock() - 300)),
        delaySinceLastReport: 0.2 * 65536,
      },
    });
    expect(rtcp.receive(packet.subarray(0, length), length)).toBe(true);
    expect(rtcp.remote).toMatchObject({ fractionLost: 0.25, jitterMs: 10 });
    expect(rtcp.remote?.roundTripMs).toBeCloseTo(100, 0);
    expect(losses).toEqual([25]);
  });

  it("believes no round trip that cannot be, and no block about another line", () => {
    const { clock, rtcp } = reporter();
    clock.advance(10_000);
    const make = (ssrc: number, lastReport: number): Buffer => {
      const packet = Buffer.alloc(200);
      const block = { fractionLost: 0, cumulativeLost: 0, extendedHighestSequence: 1, jitter: 0 };
      const reception = { ...block, ssrc, lastReport, delaySinceLastReport: 0x7fffffff };
      return packet.subarray(0, writeReport(packet, { ssrc: 1, cname: "", reception }));
    };
    const foreign = make(0x78, 5);
    rtcp.receive(foreign, foreign.length);
    expect(rtcp.remote).toBeUndefined();
    const absurd = make(0x77, 5);
    rtcp.receive(absurd, absurd.length);
    expect(rtcp.remote).toEqual({ fractionLost: 0, jitterMs: 0 });
  });

  it("says BYE only of a line on which something was sent", () => {
    const { line, rtcp, sent } = reporter();
    rtcp.bye(0);
    expect(sent).toEqual([]);
    line.stamp(Buffer.alloc(172), 172, 0, false, 0, 0);
    rtcp.bye(0);
    expect(read(sent[0] ?? Buffer.alloc(0))?.byes).toEqual([0x77]);
  });
});
