import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { warmUpOpus } from "../../../src/media/codec/opus.ts";
import { run, type Outcome } from "./lossy.ts";
import { burstLoss, randomLoss, type Arrival } from "./network.ts";
import { Results } from "./results.ts";
import {
  burstLoss as burstBounds,
  coveredLevelDb,
  leastHarm,
  mostHarm,
  mostStoiLost,
  randomLoss as randomBounds,
  type LossBounds,
  type PathName,
} from "./thresholds.ts";

// Seconds of speech through real codecs, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });
const results = new Results("sound-loss");
beforeAll(() => warmUpOpus(0));
afterAll(() => results.print());

const paths: readonly PathName[] = ["pcmu", "opus from browser", "opus from browser, plc", "opus to browser"];

function expectBetterThanNothing(outcome: Outcome, bounds: LossBounds): void {
  const { heard, clean, relay, nothing, covered, stoiUndone } = outcome;
  expect(heard.missing.length).toBeGreaterThan(0);
  expect(relay.lag).toBe(clean.lag);
  expect(relay.levelDb).toBeGreaterThan(coveredLevelDb[0]);
  expect(relay.levelDb).toBeLessThan(coveredLevelDb[1]);
  expect(covered).toBeGreaterThan(bounds.coveredGainDb);
  if (clean.stoi - nothing.stoi > leastHarm) expect(stoiUndone).toBeGreaterThan(bounds.stoiUndone);
  else expect(relay.stoi).toBeGreaterThan(Math.min(nothing.stoi, clean.stoi) - mostHarm);
  const { framesConcealed, framesRecovered, packetsLost } = heard.statistics;
  expect(packetsLost).toBe(heard.missing.length);
  expect(framesConcealed + framesRecovered).toBe(packetsLost);
}

describe.each(paths)("speech with lost packets (%s)", (path) => {
  it.each([1, 3, 5, 10])(
    "at %d percent random loss is better than with silence in their place",
    async (loss) => {
      const network = (count: number): Arrival[] => randomLoss(count, loss, 40 + loss);
      const outcome = await run(results, { path, name: `${loss} % random loss`, lossPercent: loss, network });
      expectBetterThanNothing(outcome, randomBounds[path]);
      expect(outcome.relay.stoi).toBeGreaterThan(outcome.clean.stoi - mostStoiLost(loss));
    },
  );

  it("in bursts of two to five is better than with silence in their place", async () => {
    const network = (count: number): Arrival[] => burstLoss(count, 6, 46);
    const outcome = await run(results, { path, name: "bursts of 2-5, 6 %", lossPercent: 5, network });
    expectBetterThanNothing(outcome, burstBounds[path]);
  });
});

describe("in-band FEC", () => {
  it("brings back more than concealment does, and that more than nothing", async () => {
    const network = (count: number): Arrival[] => randomLoss(count, 10, 60);
    const scenario = { name: "10 %: FEC, PLC, nothing", lossPercent: 10, network };
    const fec = await run(results, { ...scenario, path: "opus from browser" });
    const plc = await run(results, { ...scenario, path: "opus from browser, plc" });
    expect(fec.heard.missing).toEqual(plc.heard.missing);
    expect(fec.heard.statistics.framesRecovered).toBeGreaterThan(0);
    expect(plc.heard.statistics.framesRecovered).toBe(0);
    expect(fec.covered).toBeGreaterThan(plc.covered + 1);
    expect(fec.relay.stoi).toBeGreaterThan(plc.relay.stoi);
    expect(plc.relay.stoi).toBeGreaterThan(plc.nothing.stoi);
  });
});
