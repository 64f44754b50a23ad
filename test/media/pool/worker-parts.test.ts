import { describe, expect, it } from "vitest";
import type { Clock } from "../../../src/core/index.ts";
import { PortPairs } from "../../../src/media/worker/port-pairs.ts";
import { createPortLogger } from "../../../src/media/worker/port-logger.ts";
import { Ticker } from "../../../src/media/worker/ticker.ts";
import { FakeClock } from "../../support/fake-clock.ts";

describe("port pairs", () => {
  it("hands out even ports, each once, and then none", () => {
    const pairs = new PortPairs(10_000, 10_005, 0);
    expect([pairs.take(0), pairs.take(0), pairs.take(0), pairs.take(0)]).toEqual([
      10_000,
      10_002,
      10_004,
      undefined,
    ]);
  });

  it("lets a pair rest before it serves again, and takes the longest unused first", () => {
    const pairs = new PortPairs(10_000, 10_003, 2000);
    pairs.take(0);
    pairs.take(0);
    pairs.give(10_002, 100);
    pairs.give(10_000, 200);
    expect(pairs.free).toBe(2);
    expect(pairs.take(2099)).toBeUndefined();
    expect(pairs.take(2100)).toBe(10_002);
    expect(pairs.take(2100)).toBeUndefined();
    expect(pairs.take(2200)).toBe(10_000);
  });
});

describe("the worker's tick", () => {
  it("comes every 20 ms without drift though each call is late", () => {
    const clock = new FakeClock();
    const times: number[] = [];
    const ticker = new Ticker(
      {
        now: () => clock.now(),
        wallClock: () => 0,
        setTimer: (delay, callback) => clock.setTimer(delay + 3, callback),
      },
      (now) => times.push(now),
    );
    ticker.start();
    ticker.start();
    clock.advance(2000);
    expect(times).toHaveLength(99);
    expect(times.at(-1)).toBe(1983);
    ticker.stop();
    ticker.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it("does not make up for ticks missed in a long stall", () => {
    const clock = new FakeClock();
    let ticks = 0;
    const stalled = {
      now: () => clock.now() + offset,
      wallClock: () => 0,
      setTimer: clock.setTimer.bind(clock),
    };
    let offset = 0;
    const ticker = new Ticker(stalled, () => ticks++);
    ticker.start();
    clock.advance(100);
    offset = 10_000;
    ticks = 0;
    clock.advance(100);
    expect(ticks).toBeLessThanOrEqual(6);
  });

  it("tells how late each call is", () => {
    const clock = new FakeClock();
    const lateness: number[] = [];
    const setTimer: Clock["setTimer"] = (delay, callback) => clock.setTimer(delay + lag, callback);
    let lag = 0;
    const ticker = new Ticker({ now: () => clock.now(), wallClock: () => 0, setTimer }, (_now, late) =>
      lateness.push(late),
    );
    ticker.start();
    clock.advance(20);
    lag = 100;
    clock.advance(140);
    expect(lateness[0]).toBe(0);
    expect(lateness[2]).toBe(100);
    ticker.stop();
  });

  it("starts again after it was stopped", () => {
    const clock = new FakeClock();
    let ticks = 0;
    const ticker = new Ticker(clock, () => ticks++);
    ticker.start();
    ticker.stop();
    clock.advance(100);
    ticker.start();
    clock.advance(100);
    expect(ticks).toBe(5);
  });
});

describe("log lines of a worker", () => {
  it("go to the main thread with the bindings of their loggers", () => {
    const lines: unknown[] = [];
    const log = createPortLogger((line) => lines.push(line)).child({ session: "a" });
    log.warn({ port: 1 }, "words");
    log.child({ side: "trunk" }).debug({}, "more");
    expect(lines).toEqual([
      { type: "log", level: "warn", details: { session: "a", port: 1 }, message: "words" },
      { type: "log", level: "debug", details: { session: "a", side: "trunk" }, message: "more" },
    ]);
  });

  it("lose only the details that cannot cross threads", () => {
    const lines: unknown[] = [];
    const log = createPortLogger((line) => lines.push(structuredClone(line)), { session: "a" });
    log.error({ callback: () => {} }, "words");
    expect(lines).toEqual([{ type: "log", level: "error", details: { session: "a" }, message: "words" }]);
  });
});
