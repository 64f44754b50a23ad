import { describe, expect, it } from "vitest";
import { MetricsDoor, Scrapes } from "../../../src/admin/index.ts";
import { callMetrics } from "../../../src/admin/metrics/groups/calls.ts";
import { gatewayMetrics } from "../../../src/admin/metrics/groups/gateway.ts";
import { mediaMetrics } from "../../../src/admin/metrics/groups/media.ts";
import { sipMetrics } from "../../../src/admin/metrics/groups/sip.ts";
import { Histogram, silentLogger } from "../../../src/core/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";

class Bench {
  readonly clock = new FakeClock();
  readonly door = new MetricsDoor();
  readonly scrapes = new Scrapes(this.door, this.clock, silentLogger);

  /** Lines of `metric`, without those that say what it is. */
  async lines(name: string): Promise<string[]> {
    const text = await this.scrapes.text();
    return text.split("\n").filter((line) => line.startsWith(name));
  }
}

describe("a scrape", () => {
  it("reads figures when it comes, and forgets them until the next", async () => {
    const bench = new Bench();
    let calls = 3;
    bench.door.add((put) => put(callMetrics.begun, calls));
    expect(await bench.lines("jackfield_calls_begun_total")).toEqual(["jackfield_calls_begun_total 3"]);
    calls = 4;
    bench.clock.advance(1000);
    expect(await bench.lines("jackfield_calls_begun_total")).toEqual(["jackfield_calls_begun_total 4"]);
  });

  it("serves all who ask at the same time and within a second", async () => {
    const bench = new Bench();
    let times = 0;
    const slow = Promise.withResolvers<void>();
    bench.door.add(async () => {
      times++;
      await slow.promise;
    });
    const texts = [bench.scrapes.text(), bench.scrapes.text()];
    slow.resolve();
    expect(new Set(await Promise.all(texts)).size).toBe(1);
    bench.clock.advance(900);
    await bench.scrapes.text();
    expect(times).toBe(1);
    bench.clock.advance(100);
    await bench.scrapes.text();
    expect(times).toBe(2);
  });

  it("leaves out what is not known, and does not say 0", async () => {
    const bench = new Bench();
    bench.door.add((put) => {
      put(gatewayMetrics.traces, undefined);
      put(gatewayMetrics.traceBytes, 0);
    });
    expect(await bench.lines("jackfield_trace")).toEqual(["jackfield_trace_memory_bytes 0"]);
  });

  it("goes on without a part that fails, and counts that", async () => {
    const bench = new Bench();
    bench.door.add(() => {
      throw new Error("broken");
    });
    bench.door.add((put) => put(sipMetrics.dialogs, 7));
    bench.door.add((put) => put(sipMetrics.messages, 7));
    expect(await bench.lines("jackfield_sip_dialogs")).toEqual(["jackfield_sip_dialogs 7"]);
    expect(await bench.lines("jackfield_scrape_failures_total")).toEqual([
      "jackfield_scrape_failures_total 2",
    ]);
  });

  it("does not wait for a part that hangs, and takes nothing from it later", async () => {
    const bench = new Bench();
    const late = Promise.withResolvers<void>();
    bench.door.add(async (put) => {
      await late.promise;
      put(callMetrics.begun, 1);
    });
    const text = bench.scrapes.text();
    bench.clock.advance(2000);
    expect(await text).toContain("jackfield_scrape_failures_total 1");
    late.resolve();
    bench.clock.advance(1000);
    // The second scrape's own part is told at once.
    expect(await bench.lines("jackfield_calls_begun_total")).toEqual(["jackfield_calls_begun_total 1"]);
  });

  it("tells histograms cumulated, those beyond the last bound in +Inf alone", async () => {
    const bench = new Bench();
    const mos = new Histogram([2, 3, 4]);
    for (const value of [1.5, 2, 3.5, 4.4]) mos.note(value);
    bench.door.add((put) => put(mediaMetrics.mos, mos.counted, { way: "to_trunk" }));
    expect(await bench.lines("jackfield_media_mos")).toEqual([
      'jackfield_media_mos_bucket{le="2",way="to_trunk"} 2',
      'jackfield_media_mos_bucket{le="3",way="to_trunk"} 2',
      'jackfield_media_mos_bucket{le="4",way="to_trunk"} 3',
      'jackfield_media_mos_bucket{le="+Inf",way="to_trunk"} 4',
      'jackfield_media_mos_sum{way="to_trunk"} 11.4',
      'jackfield_media_mos_count{way="to_trunk"} 4',
    ]);
  });

  it("has nothing of a room that took its figures away", async () => {
    const bench = new Bench();
    const remove = bench.door.add((put) => put(callMetrics.begun, 1));
    remove();
    expect(await bench.lines("jackfield_calls_begun_total")).toEqual([]);
  });
});
