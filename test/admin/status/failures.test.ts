import { describe, expect, it } from "vitest";
import { FailureLog, watchFailures, type LoginEvents } from "../../../src/admin/index.ts";
import type { B2buaEvents, CallRecord } from "../../../src/b2bua/index.ts";
import { TypedEvents } from "../../../src/core/index.ts";
import type { MediaPoolEvents } from "../../../src/media/index.ts";
import type { RegistrarEvents, ServerPoolEvents, TrunkEvents } from "../../../src/registrar/index.ts";
import type { HttpServerEvents } from "../../../src/ws/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { serverFlow } from "./status-bench.ts";

function open() {
  const clock = new FakeClock();
  const failures = new FailureLog(clock);
  const calls = new TypedEvents<B2buaEvents>();
  const trunk = new TypedEvents<TrunkEvents>();
  const pool = new TypedEvents<ServerPoolEvents>();
  const registrar = new TypedEvents<RegistrarEvents>();
  const media = new TypedEvents<MediaPoolEvents>();
  const http = new TypedEvents<HttpServerEvents>();
  const login = new TypedEvents<LoginEvents>();
  const noPool = { current: undefined, other: () => undefined, redirected: () => undefined, list: () => [] };
  const fullPool = {
    ...noPool,
    isUp: () => true,
    heard() {},
    unanswered: () => false,
    suspend() {},
    close() {},
  };
  const stop = watchFailures(
    {
      calls: { events: calls },
      trunk: { events: trunk, pool: { events: pool, ...fullPool } },
      registrar: { events: registrar },
      media: { events: media },
      http: { events: http },
      login: { events: login },
    },
    failures,
  );
  return { clock, failures, calls, trunk, pool, registrar, media, http, login, stop };
}

const record: CallRecord = {
  id: "c1",
  direction: "to-agent",
  dn: "5001",
  farNumber: "71000",
  transferredTo: undefined,
  callUuid: undefined,
  callUuids: [],
  startedAt: "2026-01-01T00:00:00.000Z",
  ringingAt: undefined,
  answeredAt: undefined,
  endedAt: "2026-01-01T00:00:00.000Z",
  talkSeconds: 0,
  endedBy: "sip-server",
  reason: "",
  status: 200,
  agentLeg: { callId: "a", client: "x", codec: undefined },
  trunkLeg: { callId: "b", codec: undefined, formerCallIds: [] },
  quality: undefined,
  media: undefined,
};

describe("failures", () => {
  it.each<[string, Partial<CallRecord>, boolean]>([
    ["hung up", { status: 200 }, false],
    ["given up by the caller", { status: 487 }, false],
    ["busy", { status: 486, endedBy: "agent" }, false],
    ["declined", { status: 603, endedBy: "agent" }, false],
    ["not taken by the agent", { status: 480, endedBy: "agent" }, false],
    [
      "hung up by an administrator",
      { status: 480, endedBy: "jackfield", reason: "ended by operator" },
      false,
    ],
    ["full", { status: 486, endedBy: "jackfield", reason: "media workers are full" }, true],
    ["not answered", { status: 480, endedBy: "jackfield", reason: "not answered within 185 s" }, true],
    ["lost while it ran", { status: 480, endedBy: "agent", answeredAt: "2026-01-01T00:00:00.000Z" }, true],
    ["wrong number", { status: 404, reason: "SIP Server: 404 Not Found" }, true],
    ["dead dialog", { status: 408, endedBy: "jackfield" }, true],
  ])("of calls are those that ended badly: %s", (_name, parts, bad) => {
    const { calls, failures } = open();
    calls.emit("ended", { ...record, ...parts });
    const { status = 200, reason = "" } = parts;
    const failure = { kind: "call", dn: "5001", far_number: "71000", call: "c1", status, reason };
    expect(failures.recent.until(9)).toEqual(bad ? [{ at: "2026-01-01T00:00:00.000Z", ...failure }] : []);
  });

  it("of set-ups are those of calls that were never answered", () => {
    const { calls, failures } = open();
    const drained = { status: 503, endedBy: "jackfield", reason: "gateway is restarting" } as const;
    calls.emit("ended", { ...record, ...drained, answeredAt: "2026-01-01T00:00:00.000Z" });
    calls.emit("ended", { ...record, status: 487 });
    expect(failures.setUps).toBe(0);
    calls.emit("ended", { ...record, ...drained });
    expect(failures.setUps).toBe(1);
  });

  it("of all rooms are told in words", () => {
    const { failures, trunk, pool, registrar, media, http, login, stop, clock } = open();
    trunk.emit("status", "5001", {
      state: "rejected",
      reason: "404 Not Found: DN not configured at SIP Server",
    });
    trunk.emit("status", "5001", { state: "backing-off", reason: "no answer" });
    trunk.emit("status", "5001", { state: "in-service", reason: "" });
    trunk.emit("stolen", "5001", "sip:5001@10.9.9.9");
    pool.emit("down", serverFlow, "OPTIONS unanswered");
    pool.emit("up", serverFlow);
    registrar.emit("login-refused", "5001", "10.1.1.1", "password");
    registrar.emit("login-refused", "5001", "10.1.1.1", "blocked");
    media.emit("worker-failed", 1, "exit code 1");
    http.emit("certificate-fault", "no PEM");
    login.emit("refused", "10.1.1.2", 401, "wrong name or password");
    expect(
      failures.recent.until(99).map(({ kind, dn, status, reason }) => [kind, dn, status, reason]),
    ).toEqual([
      [
        "registration",
        "5001",
        404,
        "SIP Server refuses the DN: 404 Not Found: DN not configured at SIP Server",
      ],
      ["registration", "5001", null, "DN not registered, tried again: no answer"],
      ["registration", "5001", null, "another phone has taken the DN over: sip:5001@10.9.9.9"],
      ["registration", null, null, "SIP Server 192.0.2.10:5060 is down: OPTIONS unanswered"],
      ["registration", null, null, "SIP Server 192.0.2.10:5060 answers again"],
      ["login", "5001", 403, "sign-in from 10.1.1.1 refused: wrong password, or no such DN"],
      ["login", "5001", 403, "sign-in from 10.1.1.1 refused: too many wrong passwords before"],
      ["media", null, null, "media worker 1 failed, its calls ended: exit code 1"],
      ["certificate", null, null, "new certificate not used, the old one stays: no PEM"],
      ["login", null, 401, "dashboard or admin API: 10.1.1.2 refused, wrong name or password"],
    ]);
    stop();
    for (const events of [trunk, pool, registrar, media, http, login]) expect(events.listenerCount).toBe(0);
    failures.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it("of a storm are five and one that counts the others", () => {
    const { clock, failures, trunk } = open();
    failures.note({ kind: "media", reason: "worker 0 failed" });
    const status = { state: "rejected", reason: "404 Not Found" } as const;
    for (let dn = 5000; dn < 5500; dn++) trunk.emit("status", String(dn), status);
    expect(failures.recent.until(999)).toHaveLength(6);
    expect(failures.count("registration")).toBe(500);
    clock.advance(10_000);
    const told = failures.recent.until(999);
    expect(told).toHaveLength(7);
    expect(told[6]).toMatchObject({
      kind: "registration",
      dn: null,
      status: 404,
      reason: "495 more like this within 10 s: SIP Server refuses the DN: 404 Not Found",
    });
    // Another storm is told anew.
    trunk.emit("status", "5000", status);
    expect(failures.recent.until(999)).toHaveLength(8);
    failures.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it("are 200 at most, and those of the commonest kind go first", () => {
    const { clock, failures } = open();
    failures.note({ kind: "certificate", reason: "unusable" });
    for (let count = 0; count < 400; count++) {
      failures.note({ kind: "login", reason: `from ${count}` }, `like ${count % 40}`);
      clock.advance(2_001);
    }
    const told = failures.recent.until(9999);
    expect(told).toHaveLength(200);
    expect(told[0]?.kind).toBe("certificate");
    expect(told.at(-1)?.reason).toBe("from 399");
  });

  it("hold what strangers write in bounded length, and bounded kinds of storms", () => {
    const { clock, failures } = open();
    failures.note({ kind: "login", dn: "5".repeat(5000), reason: "x".repeat(5000) });
    expect(JSON.stringify(failures.recent.until(9)).length).toBeLessThan(1000);
    for (let count = 0; count < 1000; count++) failures.note({ kind: "call", reason: `reason ${count}` });
    expect(clock.pendingTimers).toBeLessThan(60);
  });
});
