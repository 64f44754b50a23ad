import { describe, expect, test } from "vitest";
import { recordingLog } from "../ws/support.ts";
import { pairs, useTrunkBench } from "./trunk-bench.ts";

const bench = useTrunkBench();

describe("answers of SIP Server", () => {
  test("404 rejects the DN for ten minutes whatever else the answer says, and it is never un-registered", () => {
    bench.server.script = (request) => ({
      status: 404,
      reason: "Not Found",
      headers: ["Expires: 300", `Contact: ${request.contact};expires=300`],
    });
    bench.presence.signIn("5001");
    bench.clock.advance(10);
    expect(bench.trunk.status("5001")).toEqual({
      state: "rejected",
      reason: "404 Not Found: DN not configured at SIP Server",
    });
    bench.clock.advance(599_000);
    expect(bench.server.of("5001")).toHaveLength(1);
    bench.presence.signOut("5001");
    expect(bench.state()).toBe("idle");
    bench.clock.advance(1_000_000);
    expect(bench.server.of("5001")).toHaveLength(1);
  });

  test("a rejected DN is tried again after the pause, and at once at the next sign-in", () => {
    bench.server.script = () => ({ status: 404 });
    bench.presence.signIn("5001");
    bench.clock.advance(661_000);
    expect(bench.server.of("5001")).toHaveLength(2);
    bench.server.script = (request) => bench.server.registered(request);
    bench.presence.signIn("5001");
    bench.clock.advance(10);
    expect(bench.server.of("5001")).toHaveLength(3);
    expect(bench.state()).toBe("in-service");
  });

  test.each([400, 403, 603])("%i is a refusal: long pause", (status) => {
    bench.server.script = () => ({ status });
    bench.presence.signIn("5001");
    bench.clock.advance(599_000);
    expect(bench.state()).toBe("rejected");
    expect(bench.server.of("5001")).toHaveLength(1);
  });

  test("a refusal is an alarm in the log", async () => {
    const log = recordingLog();
    await bench.restart({}, { log });
    bench.server.script = () => ({ status: 403, reason: "Forbidden" });
    bench.presence.signIn("5001");
    bench.clock.advance(10);
    expect(log.lines.filter((line) => line.includes("refuses the DN"))).toHaveLength(1);
  });

  test.each([408, 480, 503, 504])("%i of one server leads to the next at once", async (status) => {
    await bench.restart({}, {}, pairs);
    bench.server.script = () => ({ status });
    bench.presence.signIn("5001");
    bench.clock.advance(200);
    expect(bench.state()).toBe("in-service");
    expect(Array.from(bench.second.bindings.keys())).toEqual(["5001"]);
  });

  test("Retry-After of the only server is kept for this DN, where it is longer than the pause", () => {
    bench.server.script = () => ({ status: 500, headers: ["Retry-After: 60"] });
    bench.presence.signIn("5001");
    bench.presence.signIn("5002");
    bench.clock.advance(59_000);
    expect(bench.server.of("5001")).toHaveLength(1);
    bench.clock.advance(2_000);
    expect(bench.server.of("5001")).toHaveLength(2);
  });

  test("a refresh that is refused takes the DN out of service and leaves nothing to un-register", () => {
    bench.presence.signIn("5001");
    bench.clock.advance(10);
    bench.server.script = () => ({ status: 404, reason: "Not Found" });
    bench.clock.advance(260_000);
    expect(bench.history.at(-1)).toMatch(/^5001 rejected/);
    bench.presence.signOut("5001");
    bench.clock.advance(10_000);
    expect(bench.server.of("5001")).toHaveLength(2);
  });

  test("423 is repeated at once with the Min-Expires, which later REGISTERs keep", () => {
    const { script } = bench.server;
    bench.server.script = (request) =>
      (request.expires ?? 0) < 1800 ? { status: 423, headers: ["Min-Expires: 1800"] } : script(request);
    bench.presence.signIn("5001");
    bench.clock.advance(2_000_000);
    expect(bench.server.of("5001").map((request) => request.expires)).toEqual([300, 1800, 1800]);
    expect(bench.state()).toBe("in-service");
  });

  test.each(["", "Min-Expires: 10", "Min-Expires: 99999999"])("423 with %j cannot be served", (header) => {
    bench.server.script = () => ({ status: 423, headers: header ? [header] : [] });
    bench.presence.signIn("5001");
    bench.clock.advance(100_000);
    expect(bench.state()).toBe("rejected");
    expect(bench.server.of("5001")).toHaveLength(1);
  });

  test("500 of the only server backs off in growing steps", () => {
    bench.server.script = () => ({ status: 500, reason: "Server Internal Error" });
    bench.presence.signIn("5001");
    bench.clock.advance(50_000);
    expect(bench.trunk.status("5001")).toEqual({ state: "backing-off", reason: "500 Server Internal Error" });
    const times = bench.server.of("5001").map((request) => request.at);
    const gaps = times.slice(1).map((time, index) => Math.floor((time - (times[index] ?? 0)) / 5_000));
    expect(gaps).toEqual([1, 2, 4]);
    bench.server.script = (request) => bench.server.registered(request);
    bench.clock.advance(60_000);
    expect(bench.state()).toBe("in-service");
  });

  test("a refresh that fails in passing leaves the DN in service as long as it is granted", () => {
    bench.presence.signIn("5001");
    bench.clock.advance(10);
    bench.server.script = () => ({ status: 500 });
    bench.clock.advance(270_000);
    expect(bench.server.of("5001").length).toBeGreaterThan(1);
    expect(bench.state()).toBe("in-service");
    bench.clock.advance(60_000);
    expect(bench.state()).toBe("backing-off");
    bench.presence.signOut("5001");
    bench.clock.advance(10_000);
  });

  test("a DN that SIP Server refuses is not tried again because a server died", async () => {
    await bench.restart({}, {}, pairs);
    bench.server.script = () => ({ status: 404 });
    bench.presence.signIn("5001");
    bench.clock.advance(1_000);
    bench.server.dead = true;
    bench.clock.advance(60_000);
    expect(bench.trunk.pool.current).toBe(bench.second.flow);
    expect(bench.second.registers).toEqual([]);
    expect(bench.state()).toBe("rejected");
    bench.clock.advance(610_000);
    expect(bench.state()).toBe("in-service");
  });

  test("a pause that ends while no server answers leads to waiting for one, not to oblivion", () => {
    bench.server.script = () => ({ status: 404 });
    bench.presence.signIn("5001");
    bench.clock.advance(1_000);
    bench.server.dead = true;
    bench.clock.advance(700_000);
    expect(bench.trunk.status("5001")).toEqual({
      state: "backing-off",
      reason: "SIP Server does not answer",
    });
    bench.server.dead = false;
    bench.server.script = (request) => bench.server.registered(request);
    bench.clock.advance(20_000);
    expect(bench.state()).toBe("in-service");
  });

  test("500 of one server leads to the next one, for this DN only", async () => {
    await bench.restart({}, {}, pairs);
    bench.server.script = (request) =>
      request.dn === "5001" ? { status: 500 } : bench.server.registered(request);
    bench.presence.signIn("5001");
    bench.presence.signIn("5002");
    bench.clock.advance(1_000);
    expect(bench.state("5001")).toBe("in-service");
    expect(bench.state("5002")).toBe("in-service");
    expect(Array.from(bench.second.bindings.keys())).toEqual(["5001"]);
    bench.presence.signOut("5001");
    bench.clock.advance(1_000);
    expect(bench.second.bindings.size).toBe(0);
  });

  test("503 with Retry-After keeps every DN away from the only server for that time", () => {
    bench.server.script = () => ({ status: 503, headers: ["Retry-After: 120 (in maintenance)"] });
    bench.presence.signIn("5001");
    bench.clock.advance(10);
    bench.server.script = (request) => bench.server.registered(request);
    bench.presence.signIn("5002");
    bench.clock.advance(119_000);
    expect(bench.server.registers).toHaveLength(1);
    expect(bench.state("5001")).toBe("backing-off");
    bench.clock.advance(2_000);
    expect(bench.state("5001")).toBe("in-service");
    expect(bench.state("5002")).toBe("in-service");
  });

  test("302 to a server of ours is followed, to a stranger it is not", async () => {
    await bench.restart({}, {}, pairs);
    bench.server.script = () => ({ status: 302, headers: ["Contact: <sip:192.0.2.11:5060>"] });
    bench.presence.signIn("5001");
    bench.clock.advance(100);
    expect(bench.state()).toBe("in-service");
    expect(bench.second.bindings.has("5001")).toBe(true);

    await bench.restart();
    bench.server.script = () => ({ status: 302, reason: "Moved", headers: ["Contact: <sip:203.0.113.66>"] });
    bench.presence.signIn("5001");
    bench.clock.advance(100);
    expect(bench.trunk.status("5001").reason).toContain(
      "sip:203.0.113.66, which is not in sipServer.addresses",
    );
    expect(bench.state()).toBe("backing-off");
  });

  test("two servers that redirect to each other are not followed for ever", async () => {
    await bench.restart({}, {}, pairs);
    bench.server.script = () => ({ status: 302, headers: ["Contact: <sip:192.0.2.11>"] });
    bench.second.script = () => ({ status: 302, headers: ["Contact: <sip:192.0.2.10>"] });
    bench.presence.signIn("5001");
    bench.clock.advance(4_000);
    expect(bench.state()).toBe("backing-off");
    expect(bench.server.registers.length + bench.second.registers.length).toBeLessThan(10);
  });

  test("silence for one DN of a server that answers others takes nothing else down", async () => {
    await bench.restart({}, {}, pairs);
    bench.server.script = (request) => (request.dn === "5001" ? "silence" : bench.server.registered(request));
    bench.presence.signIn("5001");
    bench.clock.advance(1_000);
    bench.presence.signIn("5002");
    bench.clock.advance(5_000);
    expect(bench.trunk.pool.current?.remoteAddress).toBe("192.0.2.10");
    expect(bench.state("5001")).toBe("in-service");
    expect(bench.second.bindings.has("5001")).toBe(true);
  });

  test("no answer to an un-REGISTER is no outage", () => {
    bench.presence.signIn("5001");
    bench.clock.advance(10);
    bench.server.script = () => "silence";
    let downs = 0;
    bench.trunk.pool.events.on("down", () => downs++);
    bench.presence.signOut("5001");
    bench.clock.advance(10_000);
    expect(downs).toBe(0);
    expect(bench.trunk.pool.list()).toMatchObject([{ flow: bench.server.flow, up: true }]);
    expect(bench.trunk.counts).toMatchObject({ outstanding: 0, queued: 0 });
  });
});
