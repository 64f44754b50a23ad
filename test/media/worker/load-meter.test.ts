import { describe, expect, it } from "vitest";
import { LoadMeter, type LoadSample } from "../../../src/media/worker/load-meter.ts";

/** One second of ticks of 20 ms with the lateness given for each; the thread uses `cpuMs` in it. */
function second(cpuMs: number, late: (tick: number) => number): LoadSample | undefined {
  let used = 5000;
  const meter = new LoadMeter(() => used);
  meter.start(100);
  used += cpuMs;
  let sample: LoadSample | undefined;
  for (let tick = 1; tick <= 50; tick++) {
    const taken = meter.tick(100 + tick * 20, late(tick));
    if (tick < 50) expect(taken).toBeUndefined();
    sample = taken;
  }
  return sample;
}

describe("the load meter", () => {
  it("tells the thread's CPU time as percent of a core, once a second", () => {
    expect(second(420, () => 0)).toEqual({ cpuPercent: 42, usualLateMs: 0, worstLateMs: 0 });
  });

  it("counts what time really passed when the second was a long one", () => {
    let used = 0;
    const meter = new LoadMeter(() => used);
    meter.start(0);
    used = 1000;
    expect(meter.tick(4000, 3980)?.cpuPercent).toBe(25);
  });

  it("shows one stall as the worst tick and not as the usual one", () => {
    // 180 ms, of which the ticks then make up: nine are late.
    expect(second(100, (tick) => Math.max(0, 180 - tick * 20))).toMatchObject({
      usualLateMs: 0,
      worstLateMs: 160,
    });
  });

  it("shows it when ticks are late as a rule", () => {
    expect(second(100, (tick) => (tick % 3 === 0 ? 30 : 0))).toMatchObject({ usualLateMs: 30 });
  });

  it("starts each interval anew", () => {
    let used = 0;
    const meter = new LoadMeter(() => used);
    meter.start(0);
    used = 900;
    expect(meter.tick(1000, 70)).toMatchObject({ cpuPercent: 90, worstLateMs: 70 });
    used = 1000;
    expect(meter.tick(2000, 1)).toEqual({ cpuPercent: 10, usualLateMs: 1, worstLateMs: 1 });
  });

  it("takes more ticks than it has room for without harm", () => {
    const meter = new LoadMeter(() => 0);
    meter.start(0);
    for (let tick = 0; tick < 1000; tick++) meter.tick(1, 2);
    expect(meter.tick(1000, 2)).toEqual({ cpuPercent: 0, usualLateMs: 2, worstLateMs: 2 });
  });
});
