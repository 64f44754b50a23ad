import { describe, expect, it } from "vitest";
import {
  ntpMiddle,
  ntpTime,
  readRtcp,
  type ReportBlock,
  type RtcpListener,
} from "../../../src/media/rtcp/packet.ts";
import type { VoipMetrics } from "../../../src/media/contract.ts";
import { RtcpReporter, type ReporterOptions } from "../../../src/media/rtcp/reporter.ts";
import { writeReport, type OutgoingReport } from "../../../src/media/rtcp/write.ts";
import { SendLine } from "../../../src/media/rtp/send-line.ts";
import { ReceivedSource } from "../../../src/media/rtp/source.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { FakeClock } from "../../support/fake-clock.ts";

class Listener implements RtcpListener {
  readonly reports: [number, number][] = [];
  readonly blocks: ReportBlock[] = [];
  readonly byes: number[] = [];
  readonly metrics: [number, number, VoipMetrics][] = [];
  feedback = 0;
  malformed = 0;
  onSenderReport(ssrc: number, middle: number): void {
    this.reports.push([ssrc, middle]);
  }
  onReportBlock(about: Readonly<ReportBlock>): void {
    this.blocks.push({ ...about });
  }
  onBye(ssrc: number): void {
    this.byes.push(ssrc);
  }
  onFeedback(): void {
    this.feedback++;
  }
  onVoipMetrics(ssrc: number, by: number, metrics: VoipMetrics): void {
    this.metrics.push([ssrc, by, metrics]);
  }
  onMalformed(): void {
    this.malformed++;
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
        extendedHighestSequence: 0x1000a,
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
          extendedHighestSequence: 0x1_0005,
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

function reporter(options: Partial<ReporterOptions> = {}): {
  clock: FakeClock;
  line: SendLine;
  source: ReceivedSource;
  rtcp: RtcpReporter;
  sent: Buffer[];
  losses: number[];
  dropped: string[];
} {
  const clock = new FakeClock();
  const line = new SendLine(0x77, new CountingRandom());
  const source = new ReceivedSource();
  const sent: Buffer[] = [];
  const losses: number[] = [];
  const dropped: string[] = [];
  const rtcp = new RtcpReporter({
    line,
    source,
    clock,
    random: new CountingRandom(),
    cname: "name",
    send: (packet, length) => sent.push(Buffer.from(packet.subarray(0, length))),
    onLoss: (percent) => losses.push(percent),
    onDropped: (cause) => dropped.push(cause),
    ...options,
  });
  return { clock, line, source, rtcp, sent, losses, dropped };
}

/** A report of another's with one block about our line. */
function block(reception: Partial<NonNullable<OutgoingReport["reception"]>>): OutgoingReport & {
  reception: NonNullable<OutgoingReport["reception"]>;
} {
  const still = { fractionLost: 0, cumulativeLost: 0, extendedHighestSequence: 1, jitter: 0, lastReport: 0 };
  return { ssrc: 1, cname: "", reception: { ssrc: 0x77, ...still, delaySinceLastReport: 0, ...reception } };
}

function receive(rtcp: RtcpReporter, report: OutgoingReport): void {
  const packet = Buffer.alloc(300);
  rtcp.receive(packet, writeReport(packet, report));
}

/** Sends RTP and waits for the sender report; returns the middle bits of its time. */
function reportSent(parts: Pick<ReturnType<typeof reporter>, "clock" | "line" | "rtcp" | "sent">): number {
  const { clock, line, rtcp, sent } = parts;
  line.stamp(Buffer.alloc(172), 172, 0, false, 0, 0);
  while (sent.length === 0) {
    clock.advance(20);
    rtcp.tick(clock.now());
  }
  const [, middle] = read(sent[0] ?? Buffer.alloc(0))?.reports[0] ?? [];
  return middle ?? 0;
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
    const { clock, line, rtcp, losses, sent } = reporter();
    const middle = reportSent({ clock, line, rtcp, sent });
    clock.advance(300);
    receive(
      rtcp,
      block({ fractionLost: 64, jitter: 80, lastReport: middle, delaySinceLastReport: 0.2 * 65536 }),
    );
    expect(rtcp.remote).toMatchObject({ fractionLost: 0.25, jitterMs: 10 });
    expect(rtcp.remote?.roundTripMs).toBeCloseTo(100, 1);
    expect(losses).toEqual([25]);
  });

  it("measures the round trip though the wall clock jumps", () => {
    let step = 0;
    const clock = new FakeClock();
    const stepping = {
      now: () => clock.now(),
      wallClock: () => clock.wallClock() + step,
      setTimer: clock.setTimer.bind(clock),
    };
    const { line, rtcp, sent } = reporter({ clock: stepping });
    const middle = reportSent({ clock, line, rtcp, sent });
    step = 3_600_000;
    clock.advance(80);
    receive(rtcp, block({ lastReport: middle }));
    expect(rtcp.remote?.roundTripMs).toBeCloseTo(80, 1);
  });

  it("believes no round trip that cannot be, none to a report it never sent, and no block about another line", () => {
    const { clock, line, rtcp, sent } = reporter();
    const middle = reportSent({ clock, line, rtcp, sent });
    receive(rtcp, block({ ssrc: 0x78, lastReport: middle }));
    expect(rtcp.remote).toBeUndefined();
    for (const absurd of [
      { lastReport: middle, delaySinceLastReport: 0x7fffffff },
      { lastReport: (middle + 1) >>> 0 },
      { lastReport: 0 },
    ]) {
      receive(rtcp, block(absurd));
      expect(rtcp.remote).toEqual({ fractionLost: 0, jitterMs: 0 });
    }
  });

  it("adds up loss by the far end's counts, and by its fraction when it began anew", () => {
    const { line, rtcp } = reporter();
    const send = (packets: number): void => {
      for (let packet = 0; packet < packets; packet++) line.stamp(Buffer.alloc(172), 172, 0, false, 0, 0);
    };
    send(250);
    receive(rtcp, block({ cumulativeLost: 5, extendedHighestSequence: 1249, fractionLost: 5 }));
    expect(rtcp.reported).toMatchObject({ reports: 1, expected: 250, lost: 5 });
    send(200);
    receive(rtcp, block({ cumulativeLost: 25, extendedHighestSequence: 1449, fractionLost: 25 }));
    expect(rtcp.reported).toMatchObject({ reports: 2, expected: 450, lost: 25 });
    send(100);
    // The call went to another phone, which counts from zero.
    receive(rtcp, block({ cumulativeLost: 0, extendedHighestSequence: 20, fractionLost: 64 }));
    expect(rtcp.reported).toMatchObject({ reports: 3, expected: 550, lost: 50 });
  });

  it("ignores and counts reports under our own SSRC, and broken packets", () => {
    const { rtcp, dropped, source } = reporter();
    source.receive(0x2a, 1, 0);
    const looped = Buffer.alloc(200);
    const reception = { ...block({}).reception, ssrc: 0x77 };
    const ntp = { seconds: 1, fraction: 2 };
    const length = writeReport(looped, {
      ssrc: 0x77,
      cname: "",
      reception,
      sender: { ntp, rtpTimestamp: 1, packets: 1, octets: 1 },
    });
    rtcp.receive(looped, length);
    expect(rtcp.remote).toBeUndefined();
    expect(dropped).toEqual(["ownSsrc", "ownSsrc"]);
    rtcp.receive(Buffer.from("nonsense"), 8);
    expect(dropped.at(-1)).toBe("malformedRtcp");
  });

  it("gives back the report time of the source that is heard, whatever strangers report", () => {
    const { clock, source, rtcp, sent } = reporter();
    source.receive(0x2a, 1, 0);
    rtcp.receive(hex(senderReport), 52);
    rtcp.receive(hex("80c80006 00000099 11112222 99994444 00005555 00000064 00003e80"), 28);
    while (sent.length === 0) {
      clock.advance(20);
      rtcp.tick(clock.now());
    }
    expect(read(sent[0] ?? Buffer.alloc(0))?.blocks[0]?.lastReport).toBe(0x22223333);
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

describe("reduced size (RFC 5506)", () => {
  /** Types and times of all that was sent over half a minute; one packet is lost at 4.2 s. */
  function run(reducedSize: boolean): { at: number; types: number[] }[] {
    const { clock, line, source, rtcp, sent } = reporter();
    rtcp.reducedSize = reducedSize;
    const told: { at: number; types: number[] }[] = [];
    let sequence = 0;
    for (let now = 20; now <= 30_000; now += 20) {
      clock.advance(20);
      line.stamp(Buffer.alloc(172), 172, 0, false, 0, now);
      if (now !== 4200) source.receive(0x2a, sequence & 0xffff, now);
      sequence++;
      rtcp.tick(now);
      for (const packet of sent.splice(0)) told.push({ at: now, types: types(packet) });
    }
    return told;
  }

  it("is never sent where it was not negotiated", () => {
    for (const { types: kinds } of run(false)) expect(kinds).toEqual([200, 202]);
  });

  it("carries the first report and a loss within a second or so, between compound packets as often as before", () => {
    const told = run(true);
    const short = told.filter(({ types: kinds }) => kinds.length === 1);
    expect(short.length).toBeGreaterThan(0);
    expect(short.length).toBeLessThanOrEqual(2);
    expect(told[0]).toEqual({ at: 1020, types: [200] });
    expect(told.find(({ at }) => at > 4200)?.at).toBeLessThanOrEqual(5240);
    const compound = told.filter(({ types: kinds }) => kinds.length === 2);
    expect(compound.length).toBe(run(false).length);
  });
});

describe("VoIP metrics (RFC 3611 4.7)", () => {
  const metrics = {
    lossPercent: 5,
    discardPercent: 1,
    burstLossPercent: 50,
    gapLossPercent: 0.5,
    burstMs: 120,
    gapMs: 70_000,
    roundTripMs: 48,
    endSystemMs: 0,
    rFactor: 82.4,
    mosLq: 4.21,
    mosCq: 4.14,
    gmin: 16,
  };
  const reception = { ...block({}).reception, ssrc: 9 };

  it("are written as the RFC draws them and read back", () => {
    const packet = Buffer.alloc(300);
    const length = writeReport(packet, { ssrc: 8, cname: "n", reception, voipMetrics: metrics });
    const report = packet.subarray(length - 44, length);
    expect(report.toString("hex")).toBe(
      "80cf000a00000008" + // XR, 11 words, from 8
        "0700000800000009" + // VoIP metrics, 8 words, about 9
        "0c028001" + // loss, discard, burst density, gap density
        "0078ffff" + // burst, gap (as long as can be said)
        "00300000" + // round trip, end system
        "7f7f7f10" + // signal, noise, echo unknown; Gmin 16
        "527f2a29" + // R 82, external R unknown, MOS-LQ 4.2, MOS-CQ 4.1
        "e000000000000000",
    );
    const listener = read(packet.subarray(0, length));
    expect(types(packet.subarray(0, length))).toEqual([201, 202, 207]);
    expect(listener?.metrics).toEqual([
      [
        9,
        8,
        {
          lossPercent: (12 * 100) / 256,
          discardPercent: (2 * 100) / 256,
          burstLossPercent: 50,
          gapLossPercent: 100 / 256,
          burstMs: 120,
          gapMs: 65_535,
          roundTripMs: 48,
          endSystemMs: 0,
          rFactor: 82,
          mosLq: 4.2,
          mosCq: 4.1,
        },
      ],
    ]);
    expect(listener?.malformed).toBe(0);
  });

  const words = "00000000".repeat(4);

  it("leave out what the far end does not know or cannot be, and pass over other blocks and padding", () => {
    const unknown = `07000008 00000009 ${words} 7f7f7f7f 00000000 00000000`;
    const absurd = `07000008 00000009 ${words} ff000933 00000000 00000000`;
    const listener = read(hex(`a0cf0017 00000008 04000002 1111111122222222 ${unknown} ${absurd} 00000004`));
    expect(listener?.malformed).toBe(0);
    expect(listener?.metrics).toHaveLength(2);
    for (const [, , { rFactor, mosLq, mosCq }] of listener?.metrics ?? [])
      expect([rFactor, mosLq, mosCq]).toEqual([undefined, undefined, undefined]);
  });

  it.each([
    ["a block beyond the end", "80cf0003 00000008 07000008 00000009"],
    ["another length than theirs", "80cf0003 00000008 07000001 00000009"],
    ["no room for the reporter", "80cf0000"],
    ["padding longer than the report", "a0cf0002 00000008 000000ff"],
  ])("that are broken, with %s, are counted and not told; what is beside them stands", (_name, text) => {
    const listener = read(hex(`81cb0001 00000007 ${text}`));
    expect(listener).toMatchObject({ malformed: 1, metrics: [], byes: [7] });
  });

  it("go out with regular reports only, once a source is heard", () => {
    const { clock, line, source, rtcp, sent } = reporter({ voipMetrics: () => metrics });
    rtcp.reducedSize = true;
    reportSent({ clock, line, rtcp, sent });
    expect(sent.map(types)).toEqual([[200]]);
    while (sent.length < 2) {
      clock.advance(20);
      rtcp.tick(clock.now());
    }
    expect(types(sent[1] ?? Buffer.alloc(0))).toEqual([201, 202]);
    source.receive(0x2a, 1, 0);
    while (sent.length < 3) {
      clock.advance(20);
      rtcp.tick(clock.now());
    }
    expect(types(sent[2] ?? Buffer.alloc(0))).toEqual([201, 202, 207]);
  });

  it("of the far end's are kept when they are about our line", () => {
    const { rtcp } = reporter();
    receive(rtcp, { ...block({ ssrc: 0x78 }), voipMetrics: metrics });
    expect(rtcp.farEnd).toBeUndefined();
    receive(rtcp, { ...block({}), voipMetrics: metrics });
    expect(rtcp.farEnd).toMatchObject({ rFactor: 82, mosCq: 4.1 });
  });
});

/** Types of the packets in a compound one. */
function types(packet: Buffer): number[] {
  const found: number[] = [];
  for (let at = 0; at < packet.length; at += (packet.readUInt16BE(at + 2) + 1) * 4)
    found.push(packet[at + 1] ?? 0);
  return found;
}
