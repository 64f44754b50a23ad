import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/index.ts";
import { expectedPercent, refusal, type Burden } from "../../../src/media/worker/admission.ts";
import { CallPrice } from "../../../src/media/worker/call-price.ts";
import { LoadGovernor } from "../../../src/media/worker/load-governor.ts";

/** 120 calls that sound at half a percent each. */
const burden: Burden = {
  state: "normal",
  cpuPercent: 60,
  sessions: 120,
  sounding: 120,
  setUps: 0,
  callPercent: 0.5,
};
const limits = { maxCalls: 0, maxLoadPercent: 95 };

describe("admission", () => {
  it("takes calls up to the number configured and says so when it refuses", () => {
    const limited = { ...limits, maxCalls: 121 };
    expect(refusal(burden, limited)).toBeUndefined();
    expect(refusal({ ...burden, sessions: 121 }, limited)).toEqual({
      cause: "calls",
      reason: "media worker has its 121 calls",
    });
  });

  it("refuses when all that could be spared is spared and it was not enough", () => {
    expect(refusal({ ...burden, state: "reduced" }, limits)).toBeUndefined();
    expect(refusal({ ...burden, state: "full" }, limits)?.cause).toBe("load");
  });

  it("counts calls that ring, are held or say nothing yet as if they sounded, at the price of a call", () => {
    const silent = (count: number): Burden => ({
      ...burden,
      cpuPercent: 80,
      sessions: 160 + count,
      sounding: 160,
    });
    expect(expectedPercent(silent(20))).toBe(90);
    expect(refusal(silent(29), limits)).toBeUndefined();
    expect(refusal(silent(30), limits)).toEqual({
      cause: "load",
      reason: "media worker is at its limit: 95 % of a core",
    });
  });

  it("counts a call of which one side is silent for that side only", () => {
    // Fifty callers hear music: 25 calls' worth of sound is there, 25 may come.
    expect(expectedPercent({ ...burden, cpuPercent: 25, sessions: 50, sounding: 25, callPercent: 1 })).toBe(
      50,
    );
  });

  it("stops a burst of calls that say nothing at what the worker carries, though it does nothing yet", () => {
    const burst = (sessions: number): Burden => ({
      ...burden,
      cpuPercent: 2,
      sessions,
      sounding: 0,
      callPercent: 1,
    });
    expect(refusal(burst(92), limits)).toBeUndefined();
    expect(refusal(burst(93), limits)?.cause).toBe("load");
  });

  it("counts the handshakes of calls just answered only while they take the core", () => {
    // Fifty sound at half a percent; forty handshakes of 10 ms fell into the second.
    const morning: Burden = { ...burden, cpuPercent: 65, sessions: 90, sounding: 50, setUps: 40 };
    expect(expectedPercent(morning)).toBe(65);
    expect(refusal(morning, limits)).toBeUndefined();
    // What they take of the core they take all the same.
    const storm: Burden = { ...burden, cpuPercent: 96, sessions: 120, sounding: 40, setUps: 80 };
    expect(refusal(storm, limits)?.cause).toBe("load");
    // Calls that ring have theirs still before them.
    const ringing: Burden = { ...burden, cpuPercent: 80, sessions: 190, sounding: 160 };
    expect(refusal(ringing, limits)?.cause).toBe("load");
  });

  it("refuses nothing because of load when that is switched off", () => {
    const off = { maxCalls: 0, maxLoadPercent: 0 };
    expect(refusal({ ...burden, state: "full", cpuPercent: 100, sessions: 999 }, off)).toBeUndefined();
  });

  it("keeps a storm of calls from taking the core, and the core from lying idle", () => {
    // Twenty calls a second of two minutes each would be 2,400; one costs 0.4 %; each rings for five seconds.
    const ends: { sounds: number; ends: number }[] = [];
    let most = 0;
    let least = 100;
    const governor = new LoadGovernor(95, silentLogger);
    const price = new CallPrice(95);
    let state = 1;
    for (let second = 0; second < 900; second++) {
      const open = ends.filter((call) => call.ends > second);
      const sounding = open.filter((call) => call.sounds <= second).length;
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      const cpuPercent = sounding * 0.4 + (state / 2 ** 32 - 0.5) * 3;
      price.learn({ cpuPercent, sounding, setUps: 0 });
      governor.take({ cpuPercent, usualLateMs: 0, worstLateMs: 0 }, 1000);
      most = Math.max(most, cpuPercent);
      if (second > 300) least = Math.min(least, cpuPercent);
      for (let attempt = 0; attempt < 20; attempt++) {
        const now: Burden = {
          state: governor.state,
          cpuPercent,
          sessions: open.length,
          sounding,
          setUps: 0,
          callPercent: price.percent,
        };
        if (refusal(now, limits)) continue;
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        const call = { sounds: second + 5, ends: second + 60 + (state % 120) };
        ends.push(call);
        open.push(call);
      }
    }
    expect(most).toBeLessThanOrEqual(98);
    // In a quarter of an hour.
    expect(governor.stepsDown + governor.stepsUp).toBeLessThanOrEqual(4);
    expect(least).toBeGreaterThan(85);
  });
});

describe("the price of a call", () => {
  /** A worker whose calls cost so much, seen for some seconds. */
  const seen = (price: CallPrice, calls: number, percent: number, seconds = 1): number => {
    for (let second = 0; second < seconds; second++)
      price.learn({ cpuPercent: calls * percent, sounding: calls, setUps: 0 });
    return price.percent;
  };

  it("is one percent of a core before there is a measure, and with few calls, which tell nothing", () => {
    const price = new CallPrice(95);
    expect(price.percent).toBe(1);
    expect(seen(price, 0, 0)).toBe(1);
    expect(seen(price, 9, 0.2)).toBe(1);
  });

  it("is what the calls cost as soon as ten of them sound, when that is less", () => {
    expect(seen(new CallPrice(95), 10, 0.4)).toBeCloseTo(0.4);
  });

  it("goes up only under half the limit's load, since a few calls cost more each", () => {
    const price = new CallPrice(95);
    expect(seen(price, 20, 1.5, 20)).toBe(1);
    expect(seen(price, 40, 1.5, 20)).toBeGreaterThan(1.4);
  });

  it("stays learned when the calls are over, and one odd second moves it little", () => {
    const price = new CallPrice(95);
    seen(price, 150, 0.5, 60);
    expect(seen(price, 150, 0.6)).toBeLessThan(0.52);
    expect(seen(price, 0, 0, 3600)).toBeCloseTo(0.51, 1);
  });

  it("is not made dear by calls that all end in one second", () => {
    const price = new CallPrice(95);
    seen(price, 150, 0.5, 60);
    price.learn({ cpuPercent: 70, sounding: 12, setUps: 0 });
    expect(seen(price, 0, 0)).toBeCloseTo(0.5, 1);
  });

  it("is not learned from a second that handshakes filled", () => {
    const price = new CallPrice(95);
    price.learn({ cpuPercent: 60, sounding: 30, setUps: 58 });
    expect(price.percent).toBe(1);
  });
});
