import { describe, expect, it } from "vitest";
import { Application, createEncoder } from "libopus-wasm";
import { voice } from "../../support/sound.ts";
import type { Side, WayQuality } from "../../../src/media/contract.ts";
import { readRtcp, type ReportBlock } from "../../../src/media/rtcp/packet.ts";
import { writeReport, type OutgoingReport } from "../../../src/media/rtcp/write.ts";
import { opus, pcmu, RelayDouble, rtp, trunkAddress } from "./relay-double.ts";

const payload = Buffer.alloc(160, 0x55);
const both: readonly Side[] = ["browser", "trunk"];

/** A call in which both sides talk; what of a side gets lost is for `missing` to say. */
class Talk {
  readonly relay: RelayDouble;
  #sequence = 0;

  constructor(relay: RelayDouble) {
    this.relay = relay;
  }

  run(seconds: number, missing: (side: Side, sequence: number) => boolean = () => false): void {
    for (let packet = 0; packet < seconds * 50; packet++) {
      const sequence = this.#sequence++;
      for (const side of both)
        if (!missing(side, sequence))
          this.relay.from(
            side,
            rtp(0, sequence, sequence * 160, payload, { ssrc: side === "trunk" ? 7 : 8 }),
          );
      this.relay.pass(20);
    }
  }

  get browser() {
    return this.relay.session.statistics().browser;
  }

  get trunk() {
    return this.relay.session.statistics().trunk;
  }
}

async function talk(options: ConstructorParameters<typeof RelayDouble>[0] = {}): Promise<Talk> {
  return new Talk(await RelayDouble.connected(pcmu, pcmu, options));
}

/** The far end's report about our line toward `side`, and where it stands there. */
function fromFarEnd(
  { relay }: Talk,
  side: Side,
  report: Omit<Partial<OutgoingReport>, "reception"> & {
    reception: Partial<NonNullable<OutgoingReport["reception"]>>;
  },
): void {
  const sent = side === "browser" ? relay.transport.rtp : relay.trunk.rtp.map(({ packet }) => packet);
  const last = sent.at(-1);
  const packet = Buffer.alloc(300);
  const still = { fractionLost: 0, cumulativeLost: 0, jitter: 0, lastReport: 0, delaySinceLastReport: 0 };
  const about = { ssrc: last?.readUInt32BE(8) ?? 0, extendedHighestSequence: last?.readUInt16BE(2) ?? 0 };
  const length = writeReport(packet, {
    ssrc: 99,
    cname: "far",
    ...report,
    reception: { ...still, ...about, ...report.reception },
  });
  if (side === "browser") relay.transport.handlers?.onRtcp(packet, length);
  else relay.trunk.onRtcp(packet, length, trunkAddress.address, trunkAddress.port + 1);
}

function rtcpTo({ relay }: Talk, side: Side): Buffer[] {
  return side === "browser" ? relay.transport.rtcp : relay.trunk.rtcp.map(({ packet }) => packet);
}

/** Middle bits of the NTP time in our last sender report to `side`. */
function lastReport(parts: Talk, side: Side): number {
  return (
    rtcpTo(parts, side)
      .findLast((packet) => packet[1] === 200)
      ?.readUInt32BE(10) ?? 0
  );
}

function blocksTo(parts: Talk, side: Side): ReportBlock[] {
  const blocks: ReportBlock[] = [];
  for (const packet of rtcpTo(parts, side))
    readRtcp(packet, packet.length, {
      onSenderReport() {},
      onReportBlock: (block) => blocks.push({ ...block }),
      onBye() {},
      onFeedback() {},
      onVoipMetrics() {},
      onMalformed() {},
    });
  return blocks;
}

describe("the quality of what is received", () => {
  it("is that of a clean line when nothing is lost", async () => {
    const call = await talk();
    call.run(10.1);
    expect(call.relay.quality).toHaveLength(2);
    for (const statistics of call.relay.quality)
      for (const side of both) {
        const { received, sent } = statistics[side];
        expect(received.last).toMatchObject({ lossPercent: 0, burstLossPercent: 0, jitterMs: 0 });
        expect(received.last?.mos).toBeGreaterThan(4.35);
        expect(sent).toEqual({ last: undefined, call: undefined });
      }
  });

  it("falls for the side whose packets are lost, in that interval, and is kept as the worst", async () => {
    const call = await talk();
    const lost = (sequence: number): boolean => sequence > 260 && sequence < 490 && sequence % 20 === 0;
    call.run(15.1, (side, sequence) => side === "browser" && lost(sequence));
    const [first, second, third] = call.relay.quality;
    const last = (statistics: typeof first, side: Side): WayQuality | undefined =>
      statistics?.[side].received.last;
    expect(last(second, "browser")?.lossPercent).toBeCloseTo((11 * 100) / 250, 1);
    expect(last(second, "browser")?.mos).toBeLessThan(4.1);
    expect(last(second, "trunk")?.mos).toBeGreaterThan(4.35);
    expect(last(third, "browser")?.mos).toBe(last(first, "browser")?.mos);
    const { call: whole } = call.browser.received;
    expect(whole?.lossPercent).toBeCloseTo((11 * 100) / 750, 1);
    expect(whole?.mosWorst).toBe(last(second, "browser")?.mos);
    expect(whole?.mosMean).toBeGreaterThan(whole?.mosWorst ?? 5);
    expect(whole?.mosMean).toBeLessThan(last(first, "browser")?.mos ?? 0);
  });

  it("tells loss in bursts from the same loss one by one, and finds it worse", async () => {
    const [scattered, bursty] = [await talk(), await talk()];
    scattered.run(5, (side, sequence) => side === "browser" && sequence % 25 === 12);
    bursty.run(5, (side, sequence) => side === "browser" && sequence % 125 >= 50 && sequence % 125 < 55);
    const one = scattered.browser.received.last;
    const other = bursty.browser.received.last;
    expect(one?.lossPercent).toBeCloseTo(4, 0);
    expect(other?.lossPercent).toBeCloseTo(4, 0);
    expect(one?.burstLossPercent).toBe(0);
    expect(other?.burstLossPercent).toBe(100);
    expect(other?.mos).toBeLessThan((one?.mos ?? 0) - 0.05);
  });

  it("counts what comes too late as not played", async () => {
    const call = await talk();
    const { relay } = call;
    call.run(2);
    for (let packet = 100; packet < 200; packet++) {
      if (packet % 10 !== 0) relay.fromBrowser(rtp(0, packet, packet * 160, payload, { ssrc: 8 }));
      // Each tenth is held up by 60 ms.
      if (packet % 10 === 3) relay.fromBrowser(rtp(0, packet - 3, (packet - 3) * 160, payload, { ssrc: 8 }));
      relay.pass(20);
    }
    expect(call.browser.packetsLost).toBe(0);
    expect(call.browser.received.last?.lossPercent).toBeCloseTo(5, 0);
  });

  it("counts as not played what comes in a burst after silence has taken its place", async () => {
    const call = await talk();
    call.run(2);
    call.relay.pass(500);
    for (let packet = 100; packet < 125; packet++)
      call.relay.fromBrowser(rtp(0, packet, packet * 160, payload, { ssrc: 8 }));
    const { packetsLost, dropped, received } = call.browser;
    expect(packetsLost).toBe(0);
    expect(dropped["late"]).toBeGreaterThan(10);
    expect(received.last?.lossPercent).toBeCloseTo(((dropped["late"] ?? 0) * 100) / 125, 5);
  });

  it("does not count what FEC recovered", async () => {
    const encoder = await createEncoder({
      sampleRate: 8000,
      channels: 1,
      application: Application.Voip,
      bitrate: 32_000,
      complexity: 5,
      fec: true,
      packetLossPercent: 20,
    });
    // After the encoder: the first of all codecs takes its time to load.
    const relay = await RelayDouble.connected(opus, pcmu);
    const sound = voice(6);
    for (let index = 0; index * 160 < sound.length; index++) {
      const packet = encoder.encode(sound.subarray(index * 160, index * 160 + 160), { frameSize: 160 });
      if (index % 10 !== 5) relay.fromBrowser(rtp(111, index, index * 960, packet));
      relay.pass(20);
    }
    encoder.free();
    const { packetsLost, framesRecovered, received } = relay.session.statistics().browser;
    expect(packetsLost).toBe(30);
    expect(framesRecovered).toBeGreaterThan(15);
    expect(received.call?.lossPercent).toBeCloseTo(((30 - framesRecovered) * 100) / 300, 1);
  });

  it("is unknown while nothing comes, and hold leaves no trace in that of the call", async () => {
    const call = await talk();
    call.run(5.1);
    call.relay.session.setDirection("trunk", "sendonly");
    // What SIP Server sends meanwhile is nobody's.
    call.run(10, (side) => side === "browser");
    expect(call.trunk.received.last).toBeUndefined();
    call.relay.session.setDirection("trunk", "sendrecv");
    call.run(5.1);
    expect(call.trunk.received.last?.lossPercent).toBe(0);
    expect(call.trunk.received.call).toMatchObject({ lossPercent: 0, burstLossPercent: 0 });
    expect(call.trunk.received.call?.mosWorst).toBeGreaterThan(4.35);
  });

  it("is told of a call shorter than an interval", async () => {
    const call = await talk();
    call.run(1);
    expect(call.relay.quality).toHaveLength(0);
    expect(call.browser.received.call?.mosMean).toBeGreaterThan(4.35);
    const mute = await talk();
    expect(mute.browser.received).toEqual({ last: undefined, call: undefined });
  });
});

describe("the quality of what is sent", () => {
  it("follows the receiver reports of each side, by RTCP on the browser's port and next to RTP on the trunk", async () => {
    const call = await talk();
    call.run(4.9);
    call.relay.pass(60);
    for (const side of both)
      fromFarEnd(call, side, {
        reception: {
          cumulativeLost: side === "browser" ? 0 : 24,
          fractionLost: side === "browser" ? 0 : 25,
          jitter: 80,
          lastReport: lastReport(call, side),
          delaySinceLastReport: 0,
        },
      });
    call.run(0.2);
    const [{ browser, trunk } = call.relay.session.statistics()] = call.relay.quality;
    expect(browser.sent.last).toMatchObject({ lossPercent: 0, jitterMs: 10 });
    expect(trunk.sent.last?.lossPercent).toBeCloseTo(10, 0);
    expect(trunk.sent.last?.mos).toBeLessThan((browser.sent.last?.mos ?? 0) - 0.5);
    for (const { remote, received } of [browser, trunk]) {
      expect(remote?.roundTripMs).toBeGreaterThanOrEqual(60);
      expect(received.last?.roundTripMs).toBe(remote?.roundTripMs);
    }
  });

  it("is not what a stranger reports", async () => {
    const call = await talk();
    call.run(3);
    const packet = Buffer.alloc(100);
    const length = writeReport(packet, { ssrc: 99, cname: "" });
    call.relay.trunk.onRtcp(packet, length, "203.0.113.66", trunkAddress.port + 1);
    expect(call.trunk.dropped).toEqual({ stranger: 1 });
  });

  it("goes to the port that a=rtcp names", async () => {
    const call = await talk();
    call.relay.describeTrunk({ rtcp: { address: "192.0.2.77", port: 7000 } });
    call.run(5);
    expect(call.relay.trunk.rtcp.at(-1)).toMatchObject({ address: "192.0.2.77", port: 7000 });
    const about = blocksTo(call, "trunk");
    expect(about.at(-1)).toMatchObject({ ssrc: 7, cumulativeLost: 0 });
  });

  it("is forgotten when no report comes for three intervals", async () => {
    const call = await talk();
    call.run(4);
    fromFarEnd(call, "browser", { reception: { fractionLost: 0 } });
    call.run(11);
    expect(call.browser.sent.last?.mos).toBeGreaterThan(4);
    call.run(6);
    expect(call.browser.sent.last).toBeUndefined();
    expect(call.browser.sent.call?.mosMean).toBeGreaterThan(4);
  });
});

describe("RTCP-XR", () => {
  const extended = (packet: Buffer): boolean => packet.indexOf(Buffer.from("80cf000a", "hex")) > 0;

  it("tells SIP Server's side how its sound comes here, when configured; never the browser", async () => {
    const call = await talk({ rtcpXr: true });
    call.run(12, (side, sequence) => side === "trunk" && sequence % 25 === 12);
    const report = rtcpTo(call, "trunk").findLast(extended);
    const block = report?.subarray(report.indexOf(Buffer.from("80cf000a", "hex")) + 8);
    expect(block?.readUInt32BE(4)).toBe(7);
    expect(block?.[8]).toBe(Math.floor(0.04 * 256));
    expect(block?.[10]).toBe(0);
    expect(block?.[24]).toBeLessThan(85);
    expect(rtcpTo(call, "browser").some(extended)).toBe(false);
    const silent = await talk();
    silent.run(12);
    expect(rtcpTo(silent, "trunk").some(extended)).toBe(false);
  });

  it("tells packets that never came from those that came too late", async () => {
    const call = await talk({ rtcpXr: true });
    call.run(4, (side, sequence) => side === "trunk" && sequence % 10 === 5);
    for (const sequence of [185, 195]) {
      const held = rtp(0, sequence, sequence * 160, payload, { ssrc: 7 });
      call.relay.fromTrunk(held);
    }
    call.run(6);
    const report = rtcpTo(call, "trunk").findLast(extended);
    const block = report?.subarray(report.indexOf(Buffer.from("80cf000a", "hex")) + 8);
    // The receiver report in the same packet counts the late ones as received.
    const { cumulativeLost = 0, extendedHighestSequence = 0 } = blocksTo(call, "trunk").at(-1) ?? {};
    expect(cumulativeLost).toBe(18);
    expect(block?.[8]).toBe(Math.floor((18 * 256) / (extendedHighestSequence + 1)));
    expect(block?.[9]).toBe(Math.floor((2 * 256) / (extendedHighestSequence + 1)));
    expect(block?.[9]).toBeGreaterThan(0);
  });

  it("of the far end shows in the statistics; a broken one is counted", async () => {
    const call = await talk();
    call.run(1);
    const figures = { lossPercent: 0, discardPercent: 0, burstLossPercent: 0, burstMs: 0, gapLossPercent: 0 };
    const delays = { gapMs: 1000, roundTripMs: 12, endSystemMs: 40, rFactor: 88, mosLq: 4.3, mosCq: 4.2 };
    const voipMetrics = { ...figures, ...delays, gmin: 16 };
    fromFarEnd(call, "trunk", { reception: {}, voipMetrics });
    expect(call.trunk.farEnd).toEqual({ ...figures, ...delays });
    const broken = Buffer.from("80cf0002000000090700ffff", "hex");
    call.relay.trunk.onRtcp(broken, broken.length, trunkAddress.address, trunkAddress.port + 1);
    expect(call.trunk.dropped).toEqual({ malformedRtcp: 1 });
  });
});

describe("RTCP of reduced size", () => {
  const short = (packet: Buffer): boolean => (packet.readUInt16BE(2) + 1) * 4 === packet.length;

  it("goes to a browser that agreed to it, and to no other", async () => {
    const [agreed, other] = [await talk(), await talk()];
    agreed.relay.describeBrowser({ rtcpReducedSize: true });
    for (const call of [agreed, other]) call.run(10, (_side, sequence) => sequence % 50 === 49);
    expect(rtcpTo(agreed, "browser").filter(short).length).toBeGreaterThan(3);
    expect(rtcpTo(agreed, "trunk").some(short)).toBe(false);
    expect(rtcpTo(other, "browser").some(short)).toBe(false);
  });
});
