import { describe, expect, it } from "vitest";
import { TraceStore, traceJson, traceText, type Trace, type TracedQuality } from "../../src/trace/index.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { sideStatistics } from "../support/side-statistics.ts";

const facts = () =>
  ({
    dn: "5001",
    direction: "to-agent",
    farNumber: "1003",
    callUuid: undefined,
    state: "established",
  }) as const;
const way = (mos: number, lossPercent = 0, roundTripMs?: number) => ({
  mos,
  lossPercent,
  jitterMs: 2.345,
  roundTripMs,
});

function open() {
  const clock = new FakeClock();
  const store = new TraceStore(clock, { calls: 10, bytes: 10_000_000, showDigits: false });
  const call = store.begin("c1", facts);
  call.note("state", "begun");
  const tell = (points: number, of: (index: number) => TracedQuality): void => {
    for (let index = 0; index < points; index++) {
      clock.advance(5000);
      call.quality(of(index));
    }
  };
  const trace = (): Trace => {
    const found = store.find("c1");
    if (!found) throw new Error("no trace");
    return found;
  };
  return { call, clock, store, tell, trace };
}

describe("the quality in a trace", () => {
  it("is a point each time it is told, for the ways that are known, while the call runs", () => {
    const { tell, trace } = open();
    tell(1, () => ({ fromBrowser: way(4.3849, 0.123, 12.345), toSipServer: way(3.7) }));
    tell(1, () => ({}));
    expect(traceJson(trace())).toMatchObject({
      state: "established",
      quality: [
        {
          at_ms: 5000,
          from_browser: { mos: 4.38, loss_percent: 0.12, jitter_ms: 2.35, round_trip_ms: 12.35 },
          to_sip_server: { mos: 3.7, loss_percent: 0, jitter_ms: 2.35 },
        },
        { at_ms: 10_000 },
      ],
      counters: null,
    });
    expect(Object.keys(traceJson(trace()).quality[0] ?? {})).not.toContain("to_browser");
  });

  it("takes bounded memory of a call of a whole day, covers all of it and keeps its worst moment", () => {
    const { store, tell, trace } = open();
    tell(17_280, (index) => ({
      fromBrowser: index === 9001 ? way(1.4, 60) : way(4.2),
      fromSipServer: way(4.4, 0, 20),
    }));
    const { quality } = traceJson(trace());
    expect(quality.length).toBeGreaterThan(80);
    expect(quality.length).toBeLessThanOrEqual(180);
    expect(store.usage.bytes).toBeLessThan(40_000);
    expect(quality[0]?.at_ms).toBe(5000);
    expect(quality.at(-1)?.at_ms).toBeGreaterThan(85_000_000);
    const bad = quality.filter((point) => JSON.stringify(point).includes('"mos":1.4'));
    expect(bad).toHaveLength(1);
    expect(bad[0]).toMatchObject({ from_browser: { loss_percent: 60 }, from_sip_server: { mos: 4.4 } });
    const times = quality.map(({ at_ms: at }) => at);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
  });

  it("stands in the text, the worst of a long call's too", () => {
    const { tell, trace } = open();
    expect(traceText(trace())).not.toContain("How it sounded");
    tell(100, (index) => ({ fromBrowser: index === 51 ? way(1.4, 60, 80) : way(4.2) }));
    const text = traceText(trace());
    expect(text).toContain("1.4 / 60.0 / 2 / 80");
    expect(text.split("\n").filter((line) => line.includes("/ 2 /")).length).toBeLessThanOrEqual(24);
  });
});

describe("the counters in a trace", () => {
  it("are the last ones told, of both sides", () => {
    const { call, trace } = open();
    call.counters({ browser: sideStatistics, sipServer: sideStatistics });
    const browser = {
      ...sideStatistics,
      codec: "opus",
      packetsReceived: 7,
      dropped: { replay: 2, stranger: 0 },
    } as const;
    call.counters({ browser, sipServer: { ...sideStatistics, driftPpm: 1.234 } });
    call.ended();
    expect(traceJson(trace()).counters).toMatchObject({
      browser: { codec: "opus", packets_received: 7, dropped: { replay: 2 } },
      sip_server: { codec: "pcmu", packets_received: 0, drift_ppm: 1.23, jitter_buffer_ms: null },
    });
    expect(traceText(trace())).toContain("Counters of browser (opus): 7 packets received");
    expect(traceText(trace())).toContain("dropped: replay 2\n");
  });
});
