import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/index.ts";
import { LoadGovernor } from "../../../src/media/worker/load-governor.ts";

class GovernorDouble {
  readonly lines: object[] = [];
  readonly states: string[] = [];
  readonly governor: LoadGovernor;

  constructor(maxLoadPercent = 95) {
    const info = (details: object): number => this.lines.push(details);
    this.governor = new LoadGovernor(maxLoadPercent, { ...silentLogger, info });
  }

  /** So many seconds at this load; returns the state then. */
  at(cpuPercent: number, seconds: number, lateMs = 0): string {
    for (let second = 0; second < seconds; second++)
      if (this.governor.take({ cpuPercent, usualLateMs: lateMs, worstLateMs: lateMs }, 1000))
        this.states.push(this.governor.state);
    return this.governor.state;
  }
}

describe("the load governor", () => {
  it("runs encoders at complexity 1 and leaves a loaded worker so", () => {
    const double = new GovernorDouble();
    expect(double.at(84, 600)).toBe("normal");
    expect(double.governor).toMatchObject({ complexity: 1, stepsDown: 0, stepsUp: 0 });
    expect(double.lines).toEqual([]);
  });

  it("steps down after two seconds over the limit, with one log line", () => {
    const double = new GovernorDouble();
    expect(double.at(86, 1)).toBe("normal");
    expect(double.at(86, 1)).toBe("reduced");
    expect(double.governor).toMatchObject({ complexity: 0, stepsDown: 1 });
    expect(double.lines).toEqual([
      { from: "normal", to: "reduced", complexity: 0, cpuPercent: 86, lateMs: 0 },
    ]);
  });

  it("takes a short burst for nothing, however often", () => {
    const double = new GovernorDouble();
    for (let round = 0; round < 100; round++) {
      double.at(100, 1, 50);
      double.at(80, 1);
    }
    expect(double.states).toEqual([]);
  });

  it("is full when the lowest complexity was not enough", () => {
    const double = new GovernorDouble();
    double.at(98, 3);
    expect(double.governor.state).toBe("reduced");
    expect(double.at(98, 1)).toBe("full");
    expect(double.at(100, 100)).toBe("full");
    expect(double.governor.stepsDown).toBe(2);
  });

  it("steps down because of late ticks when the thread itself is busy", () => {
    const double = new GovernorDouble();
    expect(double.at(50, 10, 12)).toBe("reduced");
    expect(double.at(50, 10, 25)).toBe("full");
  });

  it("does not when it is others that keep the thread from running", () => {
    expect(new GovernorDouble().at(10, 100, 200)).toBe("normal");
  });

  it("steps back when it has been well below for ten seconds, one state at a time", () => {
    const double = new GovernorDouble();
    double.at(98, 4);
    expect(double.at(91, 60)).toBe("full");
    expect(double.at(60, 4)).toBe("full");
    expect(double.at(60, 1)).toBe("reduced");
    expect(double.at(60, 9)).toBe("reduced");
    expect(double.at(60, 1)).toBe("normal");
    expect(double.governor).toMatchObject({ complexity: 1, stepsDown: 2, stepsUp: 2 });
    expect(double.lines).toHaveLength(4);
  });

  it("starts the ten seconds anew when the load comes back between", () => {
    const double = new GovernorDouble();
    double.at(86, 2);
    for (let round = 0; round < 20; round++) {
      double.at(60, 9);
      double.at(75, 1);
    }
    expect(double.states).toEqual(["reduced"]);
  });

  it("stays reduced while the ticks are late, whatever the CPU time", () => {
    const double = new GovernorDouble();
    double.at(86, 2);
    expect(double.at(60, 60, 8)).toBe("reduced");
  });

  it("is normal again when no call is left, at once", () => {
    const double = new GovernorDouble();
    double.at(98, 4);
    expect(double.governor.idle()).toBe(true);
    expect(double.governor).toMatchObject({ state: "normal", stepsUp: 1 });
    expect(double.governor.idle()).toBe(false);
    expect(double.lines).toHaveLength(3);
  });

  it("is never full when no call is to be refused because of load", () => {
    const double = new GovernorDouble(0);
    expect(double.at(100, 600, 100)).toBe("reduced");
    expect(double.at(60, 10)).toBe("normal");
  });

  it("keeps to the limit configured", () => {
    const double = new GovernorDouble(60);
    expect(double.at(49, 60)).toBe("normal");
    expect(double.at(51, 60)).toBe("reduced");
    expect(double.at(62, 60)).toBe("full");
    expect(double.at(30, 60)).toBe("normal");
  });

  it("never flaps, though its own steps change the load", () => {
    for (let demand = 50; demand < 110; demand++) {
      const double = new GovernorDouble();
      let state = 1;
      for (let second = 0; second < 600; second++) {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        const noise = (state / 2 ** 32 - 0.5) * 6;
        // Complexity 0 saves a tenth of all: twice what was measured.
        double.at((demand + noise) * (double.governor.complexity === 0 ? 0.9 : 1), 1);
      }
      expect(double.states.length, `demand of ${demand} %`).toBeLessThanOrEqual(2);
    }
  });
});
