import { afterEach, describe, expect, it } from "vitest";
import { agent, call, quality, StatusBench, workerFigures } from "./status-bench.ts";

let bench: StatusBench;
afterEach(() => {
  bench.board.close();
  bench.failures.close();
  expect(bench.clock.pendingTimers).toBe(0);
});

const told = { userAgent: "Firefox 151" };

describe("a snapshot", () => {
  it("tells agents, calls, servers, workers, failures and acts as they stand", async () => {
    bench = new StatusBench();
    bench.agents = [agent("5001", told)];
    bench.calls = [
      call("c1", "5001", {
        answeredAt: "2026-01-01T00:00:05.000Z",
        state: "established",
        held: true,
        codecs: { browser: "opus", trunk: "pcmu" },
        callUuid: "U1",
        quality,
        captureFile: "c1.pcap",
      }),
      call("c2", "5002"),
    ];
    bench.failures.note({ kind: "media", reason: "media worker 1 failed" });
    bench.audits.note({
      who: "ann",
      role: "operate",
      address: "10.0.0.1",
      act: "drain",
      target: null,
      outcome: "done",
    });
    await bench.pass(0.5);
    const [first] = await bench.listen().told();
    expect(first).toEqual({
      event: "snapshot",
      data: {
        at: "2026-01-01T00:00:00.500Z",
        gateway: bench.gateway,
        agents: [
          {
            id: "5001 urn:uuid:5001",
            dn: "5001",
            kind: "sip",
            user_agent: "Firefox 151",
            address: "10.1.2.3:50000",
            since: "2026-01-01T00:00:00.000Z",
            reachable: true,
            trunk: { state: "in-service", reason: "", server: "192.0.2.10:5060" },
            calls: ["c1"],
          },
        ],
        calls: [
          {
            id: "c1",
            dn: "5001",
            direction: "to-agent",
            far_number: "71000",
            call_uuid: "U1",
            since: "2026-01-01T00:00:00.000Z",
            answered_at: "2026-01-01T00:00:05.000Z",
            state: "established",
            held: true,
            codecs: { browser: "opus", sip_server: "pcmu" },
            server: "192.0.2.10:5060",
            quality: {
              from_browser: { mos: 4.12, loss_percent: 0.5, jitter_ms: 3.2, round_trip_ms: 41.5 },
              to_sip_server: { mos: 3.99, loss_percent: 0.5, jitter_ms: 3.2 },
            },
            mos: 3.99,
            capture: "c1.pcap",
          },
          expect.objectContaining({
            id: "c2",
            call_uuid: null,
            answered_at: null,
            quality: null,
            mos: null,
            capture: null,
          }),
        ],
        servers: [
          {
            name: "sip.example",
            address: "192.0.2.10:5060",
            up: true,
            in_use: true,
            round_trip_ms: 1.2,
            registered: 2,
            registers_per_second: 0,
          },
        ],
        workers: [
          { index: 0, up: true, cpu_percent: 12.3, calls: 7, call_limit: 100, full: false, late_ms: 1.3 },
          { index: 1, up: false, cpu_percent: 0, calls: 0, call_limit: 100, full: false, late_ms: 0 },
        ],
        failures: [expect.objectContaining({ kind: "media", reason: "media worker 1 failed" })],
        audit: [expect.objectContaining({ who: "ann", act: "drain", target: null, outcome: "done" })],
      },
    });
  });

  it("is of this moment also for who listens after a time when nobody did", async () => {
    bench = new StatusBench();
    bench.agents = [agent("5001")];
    const first = bench.listen();
    await first.leave();
    await bench.pass();
    bench.agents = [agent("5002")];
    expect((await bench.listen().told())[0]?.data["agents"]).toMatchObject([{ dn: "5002" }]);
  });
});

describe("changes", () => {
  it("come once a second, to all alike, and tell only what differs", async () => {
    bench = new StatusBench();
    bench.agents = [agent("5001"), agent("5002")];
    bench.calls = [call("c1", "5001"), call("c2", "5002")];
    const listener = bench.listen();
    await bench.pass();
    await listener.told();
    bench.agents = [agent("5001"), agent("5002", { reachable: false })];
    bench.calls = [call("c1", "5001", { state: "established" })];
    bench.failures.note({ kind: "call", reason: "no answer" });
    bench.gateway = { ...bench.gateway, draining: true };
    await bench.pass(0.4);
    expect(await listener.told()).toEqual([]);
    await bench.pass(0.6);
    const [change, ...more] = await listener.told();
    expect(more).toEqual([]);
    expect(change?.event).toBe("change");
    expect(change?.data).toEqual({
      at: expect.any(String),
      gateway: bench.gateway,
      agents: { changed: [expect.objectContaining({ dn: "5002", reachable: false })], gone: [] },
      calls: { changed: [expect.objectContaining({ id: "c1", state: "established" })], gone: ["c2"] },
      failures: [expect.objectContaining({ reason: "no answer" })],
    });
  });

  it("fit the snapshot of who came in between: nothing is missing, nothing told twice", async () => {
    bench = new StatusBench();
    const first = bench.listen();
    await bench.pass();
    await first.told();
    bench.failures.note({ kind: "call", reason: "one" });
    bench.agents = [agent("5001")];
    const second = bench.listen();
    await bench.pass();
    const change = await first.told();
    expect(change).toHaveLength(1);
    const [snapshot, ...changes] = await second.told();
    expect(snapshot?.data).toMatchObject({ agents: [], failures: [] });
    expect(changes).toEqual(change);
  });

  it("are not made where nothing happens, and nothing is asked while nobody listens", async () => {
    bench = new StatusBench();
    const listener = bench.listen();
    await bench.pass(2);
    await listener.told();
    await bench.pass(5);
    expect(await listener.told()).toEqual([]);
    await listener.leave();
    const { asked } = bench;
    await bench.pass(2);
    expect(bench.asked - asked).toBe(0);
  });

  it("tell that a worker died and is back", async () => {
    bench = new StatusBench();
    await bench.pass();
    const listener = bench.listen();
    bench.workers = [];
    await bench.pass(2);
    const down = (await listener.told()).at(-1);
    expect(down?.data["workers"]).toMatchObject([
      { index: 0, up: false },
      { index: 1, up: false },
    ]);
    bench.workers = [workerFigures];
    await bench.pass(2);
    expect((await listener.told()).at(-1)?.data["workers"]).toMatchObject([{ up: true }, { up: false }]);
  });
});

describe("samples", () => {
  it("have the workers' load of their own ten seconds, nobody listening either", async () => {
    bench = new StatusBench();
    await bench.pass(10);
    bench.workers = [{ ...workerFigures, cpuPercent: 77 }];
    await bench.pass(10);
    expect(bench.board.samples.map((sample) => sample.worker_cpu_percent)).toEqual([12.3, 77]);
  });

  it("are taken each ten seconds, listeners or not, of what happened since the one before", async () => {
    bench = new StatusBench();
    bench.agents = [agent("5001"), agent("5002")];
    bench.calls = [call("c1", "5001", { quality }), call("c2", "5002")];
    bench.setUps = 5;
    bench.cpuMs = 2500;
    bench.lateMs = 7.04;
    bench.servers = bench.servers.map((server) => ({ ...server, registers: 120 }));
    bench.failures.note({ kind: "call", reason: "no answer" });
    bench.failures.setUps = 1;
    bench.failures.note({ kind: "login", reason: "wrong password" });
    const listener = bench.listen();
    await bench.pass(10);
    const sample = {
      at: "2026-01-01T00:00:10.000Z",
      agents: 2,
      in_service: 2,
      calls: 2,
      setups: 5,
      failures: 1,
      mos_mean: 3.99,
      mos_low: 3.99,
      main_cpu_percent: 25,
      worker_cpu_percent: 12.3,
      event_loop_late_ms: 7,
      registers_per_second: 12,
      round_trip_ms: 1.2,
    };
    expect(bench.board.samples).toEqual([sample]);
    const change = (await listener.told()).at(-1);
    expect(change?.data).toMatchObject({ sample, servers: [{ registers_per_second: 12 }] });
    bench.setUps = 6;
    bench.calls = [];
    bench.trunk = { state: "rejected", reason: "404 Not Found" };
    await bench.pass(10);
    expect(bench.board.samples[1]).toMatchObject({
      setups: 1,
      failures: 0,
      registers_per_second: 0,
      main_cpu_percent: 0,
      in_service: 0,
      mos_mean: null,
      mos_low: null,
    });
  });

  it("are kept for six hours", async () => {
    bench = new StatusBench();
    bench.clock.advance(7 * 3_600_000);
    expect(bench.board.samples).toHaveLength(2160);
    expect(bench.board.samples.at(-1)?.at).toBe("2026-01-01T07:00:00.000Z");
  });
});

describe("a large site", () => {
  it("of 1,000 agents and 500 calls costs, each second, no more text than what has changed", async () => {
    bench = new StatusBench();
    bench.agents = Array.from({ length: 1000 }, (_none, index) => agent(String(5000 + index)));
    const calls = Array.from({ length: 500 }, (_none, index) => {
      const codecs = { browser: "opus", trunk: "pcmu" } as const;
      return call(`call-${index}`, String(5000 + index), { state: "established", codecs, quality });
    });
    bench.calls = calls;
    const listener = bench.listen();
    await bench.pass();
    const snapshot = JSON.stringify(await listener.told());
    expect(snapshot.length).toBeLessThan(700_000);
    // Each call tells its quality each five seconds; ten agents come and go.
    bench.calls = calls.map((one, index) =>
      index < 100 ? { ...one, quality: { ...quality, toBrowser: { ...quality.fromBrowser, mos: 4 } } } : one,
    );
    bench.agents = bench.agents.slice(10);
    const { asked } = bench;
    await bench.pass();
    expect(bench.asked - asked).toBe(1);
    const [change] = await listener.told();
    expect(change?.data).toMatchObject({
      agents: { changed: [], gone: { length: 10 } },
      calls: { changed: { length: 100 } },
    });
    expect(JSON.stringify(change).length).toBeLessThan(70_000);
  });
});
