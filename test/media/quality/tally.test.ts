import { describe, expect, it } from "vitest";
import { QualityTally, type QualitySample } from "../../../src/media/quality/tally.ts";

const sample = (expected: number, missed: number): QualitySample => ({
  codec: "opus",
  counts: { expected, missed, runs: missed, burstPackets: 0, burstLosses: 0 },
  recovered: 0,
  jitterMs: 0,
  roundTripMs: undefined,
});

describe("the quality of one way over a call", () => {
  it("has no worst above its mean, when a short rest at its end was bad", () => {
    const tally = new QualityTally();
    tally.add(sample(250, 0));
    const { call } = tally.figures(sample(40, 20));
    expect(call?.mosMean).toBeLessThan(4);
    expect(call?.mosWorst).toBeLessThanOrEqual(call?.mosMean ?? 0);
  });
});
