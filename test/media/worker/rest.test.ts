import { describe, expect, it } from "vitest";
import { Rest } from "../../../src/media/worker/rest.ts";

/** A thread whose event loop is turned by hand. */
function thread() {
  const pending: (() => void)[] = [];
  const slept: number[] = [];
  const state = { now: 1000 };
  const rest = new Rest({
    now: () => state.now,
    afterEvents: (callback) => void pending.push(callback),
    sleep: (ms) => {
      slept.push(ms);
      state.now += ms;
    },
  });
  /** A turn that reads `packets` and takes `ms`. */
  const turn = (packets: number, ms: number): void => {
    for (let packet = 0; packet < packets; packet++) rest.packetRead();
    state.now += ms;
    for (const callback of pending.splice(0)) callback();
  };
  return { turn, slept, state };
}

describe("a media worker's rest", () => {
  it("does not delay a packet after a silence, and sleeps once after a turn of many", () => {
    const { turn, slept } = thread();
    turn(1, 0.1);
    expect(slept).toEqual([]);
    turn(20, 0.25);
    expect(slept).toEqual([0.75]);
  });

  it("sleeps only for what a turn leaves of its millisecond", () => {
    const { turn, slept } = thread();
    turn(1, 0);
    turn(5, 0.5);
    turn(5, 0.9);
    turn(50, 1.5);
    turn(50, 3);
    expect(slept.map((ms) => Number(ms.toFixed(3)))).toEqual([0.5, 0.1]);
  });

  it("does not sleep after turns without packets", () => {
    const { turn, slept, state } = thread();
    turn(1, 0);
    turn(0, 0.1);
    turn(0, 0.1);
    state.now += 100;
    turn(1, 0.1);
    expect(slept).toEqual([]);
  });

  it("really holds the thread up for about the time left", () => {
    let left: (() => void) | undefined;
    const rest = new Rest({
      now: () => performance.now(),
      afterEvents: (callback) => {
        left = callback;
      },
    });
    rest.packetRead();
    left?.();
    rest.packetRead();
    const before = performance.now();
    left?.();
    expect(performance.now() - before).toBeGreaterThan(0.3);
  });
});
