import { describe, expect, it } from "vitest";
import { DriftMeter } from "../../../src/media/rtp/drift.ts";

interface Network {
  readonly ppm: number;
  readonly seconds: number;
  readonly clockRate?: 8000 | 48000;
  readonly firstTimestamp?: number;
  /** ms that the packet sent at `ms` is under way. */
  readonly delay?: (ms: number, random: () => number) => number;
  readonly lost?: (random: () => number) => boolean;
}

/** A meter that has heard a source of 20 ms packets through this network. */
function heard({ ppm, seconds, clockRate = 8000, firstTimestamp = 0, delay, lost }: Network): DriftMeter {
  const meter = new DriftMeter();
  let state = 3;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  for (let index = 0; index * 20 < seconds * 1000; index++) {
    const sentAt = (index * 20) / (1 + ppm / 1e6);
    const arrivedAt = 5000 + sentAt + (delay?.(sentAt, random) ?? 10);
    if (!lost?.(random)) meter.take((firstTimestamp + (index * clockRate) / 50) >>> 0, arrivedAt, clockRate);
  }
  return meter;
}

describe("measuring a source's clock against ours", () => {
  it.each([-300, -200, -50, 0, 20, 200, 400])("finds %i ppm on an even path within 1 ppm", (ppm) => {
    for (const clockRate of [8000, 48_000] as const) {
      const meter = heard({ ppm, seconds: 120, clockRate, firstTimestamp: 2 ** 32 - 200_000 });
      expect(meter.ppm).toBeCloseTo(ppm, 0);
      // 115 s are counted: the last window is still open.
      expect(Math.abs(meter.aheadMs - ppm * 0.115)).toBeLessThan(2);
    }
  });

  it("says nothing in the first minute", () => {
    expect(heard({ ppm: 200, seconds: 59 }).ppm).toBeUndefined();
    expect(heard({ ppm: 200, seconds: 59 }).aheadMs).toBe(0);
    expect(heard({ ppm: 200, seconds: 70 }).ppm).toBeCloseTo(200, 0);
  });

  it.each([
    ["60 ms of jitter", (_ms: number, random: () => number) => 10 + 60 * random() ** 2],
    ["a path that grows by 40 ms", (ms: number) => (ms < 300_000 ? 10 : 50)],
    ["a path that shrinks by 30 ms", (ms: number) => (ms < 200_000 ? 40 : 10)],
    ["a path that grows and shrinks every minute", (ms: number) => (ms % 120_000 < 60_000 ? 10 : 35)],
    ["stalls of half a second", (ms: number) => (ms % 30_000 < 500 ? 510 - (ms % 30_000) : 10)],
  ])("is within 20 ppm and 6 ms over ten minutes in spite of %s", (_name, delay) => {
    for (const ppm of [-200, 0, 200]) {
      const meter = heard({ ppm, seconds: 600, delay, lost: (random) => random() < 0.05 });
      expect(Math.abs((meter.ppm ?? Infinity) - ppm)).toBeLessThan(20);
      expect(Math.abs(meter.aheadMs - ppm * 0.595)).toBeLessThan(6);
    }
  });

  it("begins anew with another source and after a jump of the timestamps, and keeps what was run ahead", () => {
    const meter = heard({ ppm: 200, seconds: 200 });
    const ahead = meter.aheadMs;
    expect(ahead).toBeGreaterThan(35);
    meter.take(77, 300_000, 8000);
    expect(meter.ppm).toBeUndefined();
    expect(meter.aheadMs).toBe(ahead);
  });

  it("takes no path whose delay moves for minutes for a clock", () => {
    const meter = heard({ ppm: 0, seconds: 300, delay: (ms) => 10 + ms * 0.0008 });
    expect(meter.ppm).toBeCloseTo(-800, -1);
    expect(meter.aheadMs).toBe(0);
  });
});
