import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { warmUpOpus } from "../../../src/media/codec/opus.ts";
import { writeReport } from "../../../src/media/rtcp/write.ts";
import { readUint32 } from "../../../src/media/rtp/packet.ts";
import { frame } from "./browser-codec.ts";
import type { RelayDouble } from "../relay/relay-double.ts";
import { inTime, missing, randomLoss } from "./network.ts";
import { coveredSnr, measure, undone, type Measured } from "./measure.ts";
import { carry, sourceOf, type CarryOptions } from "./path.ts";
import { Results } from "./results.ts";
import { clean, coveredLevelDb, fecTowardBrowser } from "./thresholds.ts";

// Seconds of speech through real codecs, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });
const results = new Results("sound-toward-browser");
beforeAll(() => warmUpOpus(0));
afterAll(() => results.print());

const path = "opus to browser";

/** The browser's receiver report of `percent` loss, and the time our encoder needs to follow. */
async function reportLoss(relay: RelayDouble, percent: number): Promise<void> {
  const ssrc = readUint32(relay.transport.rtp[0] ?? Buffer.alloc(12), 8);
  const figures = { cumulativeLost: 0, extendedHighestSequence: 1, jitter: 0, lastReport: 0 };
  const reception = { ssrc, fractionLost: Math.round(percent * 2.56), delaySinceLastReport: 0, ...figures };
  const packet = Buffer.alloc(200);
  relay.transport.handlers?.onRtcp(packet, writeReport(packet, { ssrc: 1, cname: "", reception }));
  await relay.settle();
}

async function hear(
  name: string,
  options: CarryOptions,
  lost: readonly number[] = [],
): Promise<Measured & { covered: number }> {
  const source = await sourceOf(path);
  const heard = await carry(source, inTime(source.packets.length), options);
  const measured = measure(source.sound, heard.sound);
  const covered = coveredSnr(source.sound, heard.sound, lost, measured.lag);
  results.add({ path, scenario: name, ...measured, ...(lost.length > 0 && { covered }) });
  return { ...measured, covered };
}

describe("speech toward a browser that loses packets", () => {
  it("is better with the FEC its reports ask for than with its own concealment, and that than silence", async () => {
    const { packets } = await sourceOf(path);
    const lost = missing(randomLoss(packets.length, 10, 90), packets.length);
    const lostAfter = (index: number): boolean => lost.includes(index);
    const before = (relay: RelayDouble, index: number): Promise<void> | undefined =>
      index === 3 ? reportLoss(relay, 10) : undefined;
    const whole = await hear("FEC on, none lost", { before });
    const fec = await hear("10 %, FEC as reported", { before, lostAfter }, lost);
    const plc = await hear("10 %, no report: PLC", { lostAfter }, lost);
    const wholePlain = await hear("no report, none lost", {});
    const silence = await hear("10 %, FEC on, silence", { before, lostAfter, silenceForLost: true }, lost);
    const plainSilence = await hear("10 %, silence", { lostAfter, silenceForLost: true }, lost);
    expect(fec.levelDb).toBeGreaterThan(coveredLevelDb[0]);
    expect(fec.levelDb).toBeLessThan(coveredLevelDb[1]);
    expect(undone(whole.stoi, fec.stoi, silence.stoi)).toBeGreaterThan(fecTowardBrowser.stoiUndone);
    expect(fec.covered).toBeGreaterThan(plc.covered + fecTowardBrowser.coveredGainDb);
    expect(fec.stoi).toBeGreaterThan(plc.stoi);
    expect(undone(wholePlain.stoi, plc.stoi, plainSilence.stoi)).toBeGreaterThan(0);
  });

  it("is not hurt by the change from one way of encoding to the other and back", async () => {
    const before = (relay: RelayDouble, index: number): Promise<void> | undefined =>
      index === 160 ? reportLoss(relay, 10) : index === 330 ? reportLoss(relay, 0) : undefined;
    const source = await sourceOf(path);
    const heard = await carry(source, inTime(source.packets.length), { before });
    // Each stretch by itself, as each has its own delay; a stretch begins with the first packet of its encoder.
    for (const [from, to] of [
      [0, 160],
      [160, 330],
      [330, 500],
    ] as const) {
      const cut = (sound: Int16Array): Int16Array => sound.slice(from * frame, to * frame);
      const measured = measure(cut(source.sound), cut(heard.sound));
      results.add({ path, scenario: `FEC on at 160, off at 330: ${from}-${to}`, ...measured });
      expect(measured.lag).toBeLessThanOrEqual(clean[path].lag[1]);
      expect(measured.stoi).toBeGreaterThan(fecTowardBrowser.changeStoi);
      expect(Math.abs(measured.levelDb)).toBeLessThan(1);
    }
  });
});
