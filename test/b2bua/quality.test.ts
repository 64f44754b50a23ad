import { describe, expect, it } from "vitest";
import type { MediaStatistics, QualityOfWay, WayQuality } from "../../src/media/index.ts";
import { mosBuckets, QualityTotals } from "../../src/b2bua/index.ts";
import { B2buaBench } from "../support/b2bua-bench.ts";
import { sideStatistics } from "../support/side-statistics.ts";
import { recordingLog } from "../ws/support.ts";

const unknown: QualityOfWay = { last: undefined, call: undefined };

function way(mos: number, change: Partial<WayQuality> = {}): QualityOfWay {
  const figures = { lossPercent: 0.123, burstLossPercent: 0, jitterMs: 1.5, roundTripMs: 12.345 };
  return {
    last: { mos, ...figures, ...change },
    call: {
      mosMean: mos,
      mosWorst: mos - 0.5,
      lossPercent: 0.123,
      burstLossPercent: 0,
      jitterMsMean: 1.5,
      jitterMsWorst: 2,
      roundTripMsMean: undefined,
      roundTripMsWorst: undefined,
    },
  };
}

function statistics(
  ways: Partial<Record<"fromBrowser" | "toBrowser" | "fromTrunk" | "toTrunk", QualityOfWay>>,
): MediaStatistics {
  return {
    browser: { ...sideStatistics, received: ways.fromBrowser ?? unknown, sent: ways.toBrowser ?? unknown },
    trunk: { ...sideStatistics, received: ways.fromTrunk ?? unknown, sent: ways.toTrunk ?? unknown },
  };
}

const asking = { allowEvents: ["talk", "x-jackfield-quality"] };

describe("the quality of a call", () => {
  it("is told to a client that asked for it: the worst way first, then each", async () => {
    const bench = new B2buaBench(asking);
    await bench.established();
    bench.media.last.events.emit(
      "quality",
      statistics({ fromBrowser: way(4.3849), toTrunk: way(3.7, { lossPercent: 4, roundTripMs: 80 }) }),
    );
    await bench.pass();
    const [notify] = bench.browser.events;
    expect(notify?.method).toBe("NOTIFY");
    expect(notify?.headers.get("Event")).toBe("x-jackfield-quality");
    expect(notify?.headers.get("Content-Type")).toBe("application/json");
    expect(notify?.headers.get("X-Jackfield-Call-ID")).toBe(bench.browser.received.request.callId);
    expect(JSON.parse(notify?.body.toString() ?? "")).toEqual({
      mos: 3.7,
      lossPercent: 4,
      roundTripMs: 12.35,
      fromBrowser: { mos: 4.38, lossPercent: 0.12, burstLossPercent: 0, jitterMs: 1.5, roundTripMs: 12.35 },
      toTrunk: { mos: 3.7, lossPercent: 4, burstLossPercent: 0, jitterMs: 1.5, roundTripMs: 80 },
    });
  });

  it("says once that nothing is known, and nothing more until something is", async () => {
    const bench = new B2buaBench(asking);
    await bench.established();
    const { events } = bench.media.last;
    for (const figures of [{}, { fromTrunk: way(4) }, {}, {}, { fromTrunk: way(4.1) }]) {
      events.emit("quality", statistics(figures));
      await bench.pass();
    }
    expect(
      bench.browser.events.map(({ body }) => String(Reflect.get(JSON.parse(body.toString()), "mos"))),
    ).toEqual(["4", "undefined", "4.1"]);
  });

  it("is not pushed on clients that did not ask, nor on one whose connection is lost", async () => {
    const silent = new B2buaBench({ allowEvents: ["x-jackfield-trunk"] });
    const gone = new B2buaBench(asking);
    for (const bench of [silent, gone]) await bench.established();
    gone.presence.flow = undefined;
    for (const bench of [silent, gone]) {
      bench.media.last.events.emit("quality", statistics({ fromBrowser: way(4) }));
      await bench.pass();
      expect(bench.browser.events).toEqual([]);
    }
  });

  it("stands in the record, per way, by the last counters", async () => {
    const bench = new B2buaBench();
    await bench.established();
    bench.media.last.events.emit("quality", statistics({ fromBrowser: way(4) }));
    bench.media.last.finalStatistics = statistics({ fromBrowser: way(4.2), fromTrunk: way(4.3) });
    bench.b2bua.close("done");
    await bench.pass();
    const whole = { lossPercent: 0.12, burstLossPercent: 0, jitterMsMean: 1.5, jitterMsWorst: 2 };
    expect(bench.records[0]?.quality).toEqual({
      fromBrowser: { mosMean: 4.2, mosWorst: 3.7, ...whole },
      fromTrunk: { mosMean: 4.3, mosWorst: 3.8, ...whole },
    });
  });

  it("stands in the record as last heard when the media worker died, and not at all when media never opened", async () => {
    const bench = new B2buaBench();
    await bench.established();
    bench.media.last.events.emit("quality", statistics({ fromBrowser: way(4) }));
    bench.media.last.close("media worker failed");
    await bench.pass();
    expect(bench.records[0]?.quality?.fromBrowser?.mosMean).toBe(4);
    const without = new B2buaBench();
    without.media.exhausted = true;
    await without.dial("1003");
    await without.pass();
    expect(without.records[0]).toMatchObject({ status: 503 });
    expect(without.records[0]?.quality).toBeUndefined();
  });

  it("adds to the totals of all calls, per way", async () => {
    const bench = new B2buaBench();
    await bench.established();
    for (const mos of [4.38, 4.38, 3.5])
      bench.media.last.events.emit("quality", statistics({ fromBrowser: way(mos) }));
    const { counts, count, sum } = bench.b2bua.quality.of("fromBrowser");
    expect(count).toBe(3);
    expect(sum).toBeCloseTo(12.26, 5);
    const filled = mosBuckets.filter((_bound, index) => (counts[index] ?? 0) > 0);
    expect(filled).toEqual([3.6, 4.4]);
    expect(bench.b2bua.quality.of("toTrunk").count).toBe(0);
  });
});

it("silence on a side is written down and ends nothing", async () => {
  const log = recordingLog();
  const bench = new B2buaBench({ log });
  await bench.established();
  for (const side of ["trunk", "browser"] as const) bench.media.last.events.emit("idle", side, 30_000);
  await bench.pass(600_000);
  expect(log.lines.filter((line) => line === "no media")).toHaveLength(2);
  expect(bench.b2bua.size).toBe(1);
});

describe("the totals", () => {
  it("have a bucket for every score there can be", () => {
    const totals = new QualityTotals();
    for (let mos = 1; mos <= 4.5; mos += 0.01) totals.note("toBrowser", { mos, jitterMs: 0, lossPercent: 0 });
    const { counts, count } = totals.of("toBrowser");
    expect(counts.reduce((sum, part) => sum + part, 0)).toBe(count);
  });
});
