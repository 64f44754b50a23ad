import { describe, expect, test } from "vitest";
import { recordingLog } from "../ws/support.ts";
import { useTrunkBench } from "./trunk-bench.ts";

const bench = useTrunkBench();

describe("one DN", () => {
  test("a sign-in registers the DN with our contact at once, in the shape SIP Server takes", () => {
    expect(bench.trunk.status("5001")).toEqual({ state: "idle", reason: "" });
    bench.presence.signIn("5001");
    expect(bench.state()).toBe("registering");
    const [register] = bench.server.registers;
    expect(register).toMatchObject({
      uri: "sip:192.0.2.10:5060",
      dn: "5001",
      contact: "<sip:5001@192.0.2.20:5070>",
      expires: 300,
      sequence: 1,
    });
    expect(register?.text).toMatch(/\r\nVia: SIP\/2.0\/UDP 192.0.2.20:5070;/);
    expect(register?.text).toMatch(/\r\nFrom: <sip:5001@192.0.2.10>;tag=\w+\r\n/);
    expect(register?.text).not.toContain(".invalid");
    bench.clock.advance(10);
    expect(bench.history).toEqual(["5001 registering", "5001 in-service"]);
  });

  test("further headers of the gateway are carried", async () => {
    await bench.restart({}, { headers: [["User-Agent", "Jackfield/1"]] });
    bench.presence.signIn("5001");
    expect(bench.server.registers[0]?.text).toContain("\r\nUser-Agent: Jackfield/1\r\n");
  });

  test("an advertised address that SIP Server does not see us at is told in the log, once", async () => {
    const log = recordingLog();
    await bench.restart({}, { log });
    bench.presence.signIn("5001");
    bench.clock.advance(10);
    const told = () => log.lines.filter((line) => line.includes("advertisedAddress"));
    expect(told()).toEqual([]);
    await bench.restart({}, { log, contact: "203.0.113.9:5070" });
    bench.presence.signIn("5001");
    bench.presence.signIn("5002");
    bench.clock.advance(10);
    expect(told()).toHaveLength(1);
  });

  test("a DN that is no plain text is escaped in the URIs", () => {
    bench.presence.signIn("50 01@x");
    bench.clock.advance(10);
    expect(bench.server.registers[0]?.contact).toBe("<sip:50%2001%40x@192.0.2.20:5070>");
    expect(bench.state("50 01@x")).toBe("in-service");
  });

  test("all REGISTERs of a DN share Call-ID and From tag, CSeq rises; another DN has its own", () => {
    bench.presence.signIn("5001");
    bench.presence.signIn("5002");
    bench.clock.advance(2_000_000);
    bench.presence.signOut("5001");
    bench.clock.advance(1_000);
    bench.presence.signIn("5001");
    bench.clock.advance(1_000);
    const own = bench.server.of("5001");
    expect(own.length).toBeGreaterThan(8);
    expect(new Set(own.map((request) => request.callId)).size).toBe(1);
    expect(new Set(own.map((request) => request.fromTag)).size).toBe(1);
    expect(own.map((request) => request.sequence)).toEqual(own.map((_request, index) => index + 1));
    expect(bench.server.of("5002")[0]?.callId).not.toBe(own[0]?.callId);
    expect(bench.server.of("5002")[0]?.fromTag).not.toBe(own[0]?.fromTag);
  });

  test("refreshes come at 75 % +/- 10 % of the granted time and leave the DN in service", () => {
    bench.presence.signIn("5001");
    bench.clock.advance(3_000_000);
    const times = bench.server.of("5001").map((request) => request.at);
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(195_000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(255_100);
    expect(new Set(gaps).size).toBeGreaterThan(5);
    expect(bench.history).toEqual(["5001 registering", "5001 in-service"]);
  });

  test.each([
    [100, 65_000, 70_000],
    [60, 30_000, 30_000],
    [40, 20_000, 20_000],
  ])(
    "granted %i s are refreshed at least 30 s before the end, or at half time",
    (granted, earliest, latest) => {
      bench.server.script = (request) => ({
        status: 200,
        headers: [`Contact: ${request.contact};expires=${granted}`],
      });
      bench.presence.signIn("5001");
      bench.clock.advance(10);
      bench.clock.advance(granted * 1000);
      const gap = (bench.server.of("5001")[1]?.at ?? 0) - 5;
      expect(gap).toBeGreaterThanOrEqual(earliest);
      expect(gap).toBeLessThanOrEqual(latest);
    },
  );

  test.each([
    [
      "the contact's expires goes first",
      ["Expires: 900", "Contact: <sip:5001@192.0.2.20:5070>;expires=40"],
      20_000,
    ],
    ["then the Expires header", ["Contact: <sip:5001@192.0.2.20:5070>", "Expires: 40"], 20_000],
    [
      "our own of several contacts counts",
      ["Contact: <sip:5001@192.0.2.99>;expires=900, <sip:5001@192.0.2.20:5070>;expires=40"],
      20_000,
    ],
  ])("granted time: %s", (_name, headers, due) => {
    bench.server.script = () => ({ status: 200, headers });
    bench.presence.signIn("5001");
    bench.clock.advance(due + 100);
    expect(bench.server.of("5001")).toHaveLength(2);
  });

  test("a 200 without any expiry counts as the asked time", () => {
    bench.server.script = () => ({ status: 200 });
    bench.presence.signIn("5001");
    bench.clock.advance(190_000);
    expect(bench.server.of("5001")).toHaveLength(1);
    bench.clock.advance(70_000);
    expect(bench.server.of("5001")).toHaveLength(2);
  });

  test("signing out un-registers our own contact with Expires: 0", () => {
    bench.presence.signIn("5001");
    bench.clock.advance(10);
    bench.presence.signOut("5001");
    expect(bench.state()).toBe("idle");
    bench.clock.advance(10);
    expect(bench.server.of("5001")[1]).toMatchObject({
      expires: 0,
      contact: "<sip:5001@192.0.2.20:5070>",
      sequence: 2,
    });
    expect(bench.server.bindings.size).toBe(0);
    bench.clock.advance(1_000_000);
    expect(bench.server.of("5001")).toHaveLength(2);
  });

  test("signing out while the first REGISTER is under way un-registers once it was accepted", () => {
    bench.presence.signIn("5001");
    bench.presence.signOut("5001");
    expect(bench.state()).toBe("idle");
    bench.clock.advance(1_000);
    expect(bench.server.of("5001").map((request) => request.expires)).toEqual([300, 0]);
    expect(bench.server.bindings.size).toBe(0);
    expect(bench.state()).toBe("idle");
  });

  test("signing in while the un-REGISTER is under way registers after it, never beside it", () => {
    bench.presence.signIn("5001");
    bench.clock.advance(10);
    bench.presence.signOut("5001");
    bench.clock.advance(1);
    bench.presence.signIn("5001");
    expect(bench.state()).toBe("registering");
    expect(bench.server.of("5001")).toHaveLength(2);
    bench.clock.advance(1_000);
    expect(bench.server.of("5001").map((request) => request.expires)).toEqual([300, 0, 300]);
    expect(bench.state()).toBe("in-service");
    expect(bench.server.bindings.size).toBe(1);
  });

  test("a running call keeps the DN registered after the sign-out, the last one that ends lets it go", () => {
    bench.presence.signIn("5001");
    bench.clock.advance(10);
    const release = [bench.trunk.retain("5001"), bench.trunk.retain("5001")];
    bench.presence.signOut("5001");
    bench.clock.advance(600_000);
    expect(bench.state()).toBe("in-service");
    expect(bench.server.of("5001").length).toBeGreaterThan(2);
    expect(bench.server.of("5001").every((request) => request.expires === 300)).toBe(true);
    release[0]?.();
    release[0]?.();
    bench.clock.advance(1_000);
    expect(bench.state()).toBe("in-service");
    release[1]?.();
    bench.clock.advance(1_000);
    expect(bench.server.of("5001").at(-1)?.expires).toBe(0);
    expect(bench.state()).toBe("idle");
  });

  test("a replaced tab never un-registers the DN of the new one", () => {
    bench.presence.signIn("5001");
    bench.clock.advance(10);
    bench.presence.replace("5001");
    bench.clock.advance(10_000);
    expect(bench.server.of("5001")).toHaveLength(1);
    expect(bench.state()).toBe("in-service");
  });

  test("lost REGISTERs and answers are made good by retransmission", () => {
    let received = 0;
    const { script } = bench.server;
    bench.server.script = (request) => (++received < 3 ? "silence" : script(request));
    bench.presence.signIn("5001");
    bench.clock.advance(1_600);
    expect(bench.state()).toBe("in-service");
    expect(bench.server.datagrams.filter((request) => request.method === "REGISTER")).toHaveLength(3);
    expect(bench.server.registers).toHaveLength(1);
  });
});

describe("another phone at the DN", () => {
  const foreign = "<sip:5001@192.0.2.77:5060>";

  test("a 200 with a foreign contact is told once, and the DN is never un-registered then", () => {
    bench.presence.signIn("5001");
    bench.clock.advance(10);
    bench.server.script = () => ({ status: 200, headers: [`Contact: ${foreign};expires=300`] });
    bench.clock.advance(1_000_000);
    expect(bench.history.slice(2)).toEqual([
      "5001 stolen by sip:5001@192.0.2.77:5060",
      "5001 in-service: another phone has taken the DN over",
    ]);
    const before = bench.server.of("5001").length;
    bench.presence.signOut("5001");
    bench.clock.advance(100_000);
    expect(bench.server.of("5001")).toHaveLength(before);
  });

  test("once our contact is back the next foreign one is told again, and signing out un-registers", () => {
    const usual = bench.server.script;
    bench.server.script = () => ({ status: 200, headers: [`Contact: ${foreign};expires=60`] });
    bench.presence.signIn("5001");
    bench.clock.advance(10);
    bench.server.script = usual;
    bench.clock.advance(260_000);
    expect(bench.trunk.status("5001")).toEqual({ state: "in-service", reason: "" });
    bench.presence.signOut("5001");
    bench.clock.advance(100);
    expect(bench.trunk.counters.stolen).toBe(1);
    expect(bench.server.of("5001").at(-1)?.expires).toBe(0);
  });

  test.each([
    ["written with other case and parameters", "<sip:5001@192.0.2.20:5070;transport=udp>;q=0.5"],
    ["written without brackets", "sip:5001@192.0.2.20:5070;expires=300"],
  ])("our own contact %s is ours", (_name, contact) => {
    bench.server.script = () => ({ status: 200, headers: [`Contact: ${contact}`] });
    bench.presence.signIn("5001");
    bench.clock.advance(10);
    expect(bench.trunk.counters.stolen).toBe(0);
  });

  test("the same user at another port is another phone", () => {
    bench.server.script = () => ({
      status: 200,
      headers: ["Contact: <sip:5001@192.0.2.20:5071>;expires=300"],
    });
    bench.presence.signIn("5001");
    bench.clock.advance(10);
    expect(bench.trunk.counters.stolen).toBe(1);
  });
});
