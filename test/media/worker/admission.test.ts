import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/index.ts";
import { callPercent, expectedPercent, refusal, type Burden } from "../../../src/media/worker/admission.ts";

const burden: Burden = { state: "normal", cpuPercent: 60, sessions: 150, promised: 0, setUps: 0 };
const limits = { maxCalls: 0, maxLoadPercent: 95 };
import { LoadGovernor } from "../../../src/media/worker/load-governor.ts";

describe("admission", () => {
  it("takes calls up to the number configured and says so when it refuses", () => {
    const limited = { ...limits, maxCalls: 151 };
    expect(refusal(burden, limited)).toBeUndefined();
    expect(refusal({ ...burden, sessions: 151 }, limited)).toEqual({
      cause: "calls",
      reason: "media worker has its 151 calls",
    });
  });

  it("refuses when all that could be spared is spared and it was not enough", () => {
    expect(refusal({ ...burden, state: "reduced" }, limits)).toBeUndefined();
    expect(refusal({ ...burden, state: "full" }, limits)?.cause).toBe("load");
  });

  it("counts calls that ring as if they were answered, at the measured price of a call", () => {
    // 160 calls sound at 80 %: half a percent each.
    expect(callPercent({ ...burden, cpuPercent: 80, sessions: 180, promised: 20 })).toBe(0.5);
    expect(expectedPercent({ ...burden, cpuPercent: 80, sessions: 180, promised: 20 })).toBe(90);
    expect(refusal({ ...burden, cpuPercent: 80, sessions: 180, promised: 20 }, limits)).toBeUndefined();
    expect(refusal({ ...burden, cpuPercent: 80, sessions: 190, promised: 30 }, limits)).toEqual({
      cause: "load",
      reason: "media worker is at its limit: 95 % of a core",
    });
  });

  it("does not believe in the price of a few calls, most of which is the thread's own", () => {
    expect(refusal({ ...burden, cpuPercent: 12, sessions: 400, promised: 399 }, limits)).toBeUndefined();
    expect(callPercent({ ...burden, cpuPercent: 12, sessions: 1, promised: 0 })).toBe(2);
    expect(callPercent({ ...burden, cpuPercent: 3, sessions: 5, promised: 5 })).toBe(0.5);
  });

  it("does not take the handshakes of calls just answered for the price of a call", () => {
    // Fifty sound at half a percent; forty handshakes of 10 ms fell into the second.
    const morning: Burden = { ...burden, cpuPercent: 65, sessions: 90, promised: 40, setUps: 40 };
    expect(callPercent(morning)).toBe(0.5);
    expect(expectedPercent(morning)).toBe(65);
    expect(refusal(morning, limits)).toBeUndefined();
    // What they take of the core they take all the same.
    const storm: Burden = { ...burden, cpuPercent: 96, sessions: 120, promised: 80, setUps: 80 };
    expect(refusal(storm, limits)?.cause).toBe("load");
    // Calls that ring have theirs still before them.
    const ringing: Burden = { ...burden, cpuPercent: 80, sessions: 190, promised: 30, setUps: 0 };
    expect(refusal(ringing, limits)?.cause).toBe("load");
  });

  it("refuses nothing because of load when that is switched off", () => {
    const off = { maxCalls: 0, maxLoadPercent: 0 };
    expect(
      refusal({ state: "full", cpuPercent: 100, sessions: 999, promised: 99, setUps: 0 }, off),
    ).toBeUndefined();
  });

  it("keeps a storm of calls from taking the core, and the core from lying idle", () => {
    // Twenty calls a second of two minutes each would be 2,400; one costs 0.4 %; each rings for five seconds.
    const ends: { sounds: number; ends: number }[] = [];
    let most = 0;
    let least = 100;
    const governor = new LoadGovernor(95, silentLogger);
    let state = 1;
    for (let second = 0; second < 900; second++) {
      const open = ends.filter((call) => call.ends > second);
      const sounding = open.filter((call) => call.sounds <= second).length;
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      const cpuPercent = sounding * 0.4 + (state / 2 ** 32 - 0.5) * 3;
      governor.take({ cpuPercent, usualLateMs: 0, worstLateMs: 0 }, 1000);
      most = Math.max(most, cpuPercent);
      if (second > 300) least = Math.min(least, cpuPercent);
      for (let attempt = 0; attempt < 20; attempt++) {
        const now: Burden = {
          state: governor.state,
          cpuPercent,
          sessions: open.length,
          promised: open.length - sounding,
          setUps: 0,
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
