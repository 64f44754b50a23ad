import { expect, it } from "vitest";
import {
  banCollector,
  directoryCollector,
  MetricsDoor,
  recordCollector,
  Scrapes,
  telemetryCollector,
} from "../../../src/admin/index.ts";
import { silentLogger } from "../../../src/core/index.ts";
import { LoginGuard } from "../../../src/registrar/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** Lines of a scrape whose names begin so. */
async function scraped(door: MetricsDoor, clock: FakeClock, ...names: string[]): Promise<string[]> {
  const text = await new Scrapes(door, clock, silentLogger).text();
  return text.split("\n").filter((line) => names.some((name) => line.startsWith(`jackfield_${name}`)));
}

it("call records are told by sink, of those that are configured", async () => {
  const door = new MetricsDoor();
  const webhook = { queued: 3, written: 10, dropped: 2, failed: 4, refused: 1 };
  door.add(recordCollector(() => ({ webhook })));
  expect(await scraped(door, new FakeClock(), "records_")).toEqual([
    'jackfield_records_queued{sink="webhook"} 3',
    'jackfield_records_written_total{sink="webhook"} 10',
    'jackfield_records_dropped_total{sink="webhook"} 2',
    'jackfield_records_failures_total{sink="webhook"} 4',
    "jackfield_records_refused_total 1",
  ]);
});

it("both exporters are told side by side", async () => {
  const door = new MetricsDoor();
  door.add(telemetryCollector("hep", () => ({ sent: 5, dropped: 1, errors: 2 })));
  door.add(telemetryCollector("otel", () => ({ sent: 9, dropped: 0 })));
  expect(await scraped(door, new FakeClock(), "telemetry_")).toEqual([
    'jackfield_telemetry_sent_total{exporter="hep"} 5',
    'jackfield_telemetry_sent_total{exporter="otel"} 9',
    'jackfield_telemetry_dropped_total{exporter="hep"} 1',
    'jackfield_telemetry_dropped_total{exporter="otel"} 0',
    'jackfield_telemetry_errors_total{exporter="hep"} 2',
  ]);
});

it("who is shut out is counted by kind, without a name, and is 0 again once forgiven", async () => {
  const clock = new FakeClock();
  const limits = { perAccount: 2, perAddress: 3, perDn: 3, forgiveSeconds: 30, neverBan: [] };
  const guard = new LoginGuard({ clock, limits: () => limits, log: silentLogger });
  const door = new MetricsDoor();
  const { collect, stop } = banCollector(guard);
  door.add(collect);
  for (let tries = 0; tries < 3; tries++) guard.failed("192.0.2.1", "5001");
  const lines = await scraped(door, clock, "ban");
  expect(lines).toEqual([
    'jackfield_banned{kind="address"} 1',
    'jackfield_banned{kind="dn"} 1',
    'jackfield_banned{kind="pair"} 1',
    'jackfield_bans_total{kind="address"} 1',
    'jackfield_bans_total{kind="dn"} 1',
    'jackfield_bans_total{kind="pair"} 1',
  ]);
  guard.forgive({});
  expect(await scraped(door, clock, "banned")).toEqual([
    'jackfield_banned{kind="address"} 0',
    'jackfield_banned{kind="dn"} 0',
    'jackfield_banned{kind="pair"} 0',
  ]);
  stop();
  for (let tries = 0; tries < 3; tries++) guard.failed("192.0.2.1", "5001");
  expect(await scraped(door, clock, 'bans_total{kind="dn"}')).toEqual(['jackfield_bans_total{kind="dn"} 1']);
});

it("the agents' directory is told with what it was asked and who waits", async () => {
  const door = new MetricsDoor();
  const counters = { lookups: 8, failures: 2, stale: 1, busy: 0 };
  door.add(directoryCollector({ waiting: 4, counters }));
  expect(await scraped(door, new FakeClock(), "directory_")).toEqual([
    "jackfield_directory_waiting 4",
    'jackfield_directory_events_total{event="lookups"} 8',
    'jackfield_directory_events_total{event="failures"} 2',
    'jackfield_directory_events_total{event="stale"} 1',
    'jackfield_directory_events_total{event="busy"} 0',
  ]);
});
