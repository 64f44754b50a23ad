import { FakeClock } from "../support/fake-clock.ts";
import { describe, expect, test } from "vitest";
import { StateMachine } from "../../src/core/index.ts";
import { Pacer, priorities } from "../../src/registrar/pacer.ts";
import { refreshDelayMs } from "../../src/registrar/trunk-answer.ts";
import { trunkTable, type TrunkInput } from "../../src/registrar/trunk-table.ts";
import type { TrunkState } from "../../src/registrar/index.ts";

describe("pacer", () => {
  const limits = { perSecond: 10, burst: 2, maxOutstanding: 3 };
  const setUp = () => {
    const clock = new FakeClock();
    const started: string[] = [];
    const pacer = new Pacer<string>(clock, limits, (key) => started.push(`${key}@${clock.now()}`));
    return { clock, started, pacer };
  };

  test("starts a burst, then one each 100 ms, then waits for the first to be done", () => {
    const { clock, started, pacer } = setUp();
    for (const key of ["a", "b", "c", "d", "e"]) pacer.add(key, priorities.ordinary);
    clock.advance(1_000);
    expect(started).toEqual(["a@0", "b@0", "c@100"]);
    expect(pacer).toMatchObject({ queued: 2, outstanding: 3 });
    pacer.done();
    expect(started.at(-1)).toBe("d@1000");
    pacer.close();
    expect(pacer).toMatchObject({ queued: 0, outstanding: 0 });
    expect(clock.pendingTimers).toBe(0);
  });

  test("gives way to the higher priority, also for a key that waits already, and starts it once", () => {
    const { clock, started, pacer } = setUp();
    for (const key of ["x", "y", "a", "b", "c"]) pacer.add(key, priorities.ordinary);
    pacer.add("c", priorities.signIn);
    pacer.add("c", priorities.ordinary);
    pacer.add("b", priorities.inCall);
    clock.advance(100);
    pacer.done();
    pacer.done();
    pacer.done();
    clock.advance(1_000);
    expect(started).toEqual(["x@0", "y@0", "c@100", "b@200", "a@300"]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("a removed key is not started, and no timer is left for it", () => {
    const { clock, started, pacer } = setUp();
    for (const key of ["x", "y", "a"]) pacer.add(key, priorities.ordinary);
    pacer.remove("a");
    expect(clock.pendingTimers).toBe(0);
    clock.advance(1_000);
    expect(started).toEqual(["x@0", "y@0"]);
  });

  test("a job that is done at once does not eat the stack", () => {
    const clock = new FakeClock();
    let started = 0;
    const pacer: Pacer<number> = new Pacer<number>(
      clock,
      { perSecond: 1e9, burst: 1e6, maxOutstanding: 1 },
      () => {
        started++;
        pacer.done();
      },
    );
    for (let key = 0; key < 50_000; key++) pacer.add(key, priorities.ordinary);
    expect(started).toBe(50_000);
  });

  test("a new rate counts at once", () => {
    const { clock, started, pacer } = setUp();
    for (const key of ["x", "y", "a"]) pacer.add(key, priorities.ordinary);
    pacer.setRate(1_000, 1);
    clock.advance(1);
    expect(started).toHaveLength(3);
  });

  test("nothing is taken after close", () => {
    const { started, pacer, clock } = setUp();
    pacer.close();
    pacer.add("a", priorities.signIn);
    pacer.done();
    expect(started).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("trunk states", () => {
  test.each<[TrunkState, TrunkInput]>([
    ["idle", "accepted"],
    ["idle", "refused"],
    ["idle", "refresh"],
    ["idle", "failed"],
    ["backing-off", "accepted"],
    ["backing-off", "refresh"],
    ["rejected", "accepted"],
    ["rejected", "failed"],
  ])("%s takes no %s", (state, input) => {
    expect(new StateMachine(trunkTable, state).apply(input)).toBe(false);
  });

  test("every state can be released", () => {
    for (const next of Object.values(trunkTable)) expect(next.released).toBe("idle");
  });
});

describe("refresh time", () => {
  const random = (fraction: number) => ({ bytes: () => Buffer.alloc(0), fraction: () => fraction });
  test.each([
    [300, 0, 195_000],
    [300, 0.999999999, 255_000],
    [1800, 0.5, 1_350_000],
    [120, 0.999, 90_000],
    [60, 0, 30_000],
    [30, 0.5, 15_000],
    [1, 0.5, 500],
  ])("granted %i s with random %d: after %i ms", (granted, fraction, expected) => {
    expect(refreshDelayMs(granted, random(fraction))).toBeCloseTo(expected, 0);
  });
});
