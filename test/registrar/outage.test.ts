import { describe, expect, test } from "vitest";
import { dnsOf, pairs, peak, useTrunkBench } from "./trunk-bench.ts";

const perSecond = 25;
/** Five may start at once after a pause. */
const most = perSecond + 6;

describe("one address (hot standby behind it)", () => {
  const bench = useTrunkBench();

  test("a gap of some seconds is ridden out: the REGISTER under way is repeated, nothing else happens", () => {
    for (const dn of dnsOf(20)) bench.presence.signIn(dn);
    bench.clock.advance(1_000);
    bench.server.dead = true;
    bench.presence.signIn("5100");
    bench.clock.advance(3_000);
    bench.server.dead = false;
    bench.clock.advance(1_000);
    expect(bench.state("5100")).toBe("in-service");
    expect(bench.history.filter((line) => line.includes("backing-off"))).toEqual([]);
    expect(bench.server.registers).toHaveLength(21);
  });

  test("a server back before the registrations ran out has the DNs in service at once, and is asked in turn", () => {
    const dns = dnsOf(200);
    for (const dn of dns) bench.presence.signIn(dn);
    bench.clock.advance(15_000);
    bench.server.dead = true;
    bench.clock.advance(40_000);
    expect(bench.inService(dns)).toBe(0);
    bench.server.dead = false;
    const before = bench.server.registers.length;
    while (bench.inService(dns) === 0) bench.clock.advance(100);
    expect(bench.inService(dns)).toBe(200);
    expect(bench.server.registers.length - before).toBeLessThanOrEqual(8);
    bench.clock.advance(10_000);
    expect(bench.server.registers).toHaveLength(before + 200);
    expect(peak(bench.server.registers.slice(before), 1_000)).toBeLessThanOrEqual(most);
  });

  test("a server that knows nothing any more has all DNs registered anew, paced", () => {
    const dns = dnsOf(100);
    for (const dn of dns) bench.presence.signIn(dn);
    bench.clock.advance(15_000);
    bench.server.dead = true;
    bench.clock.advance(40_000);
    bench.server.bindings.clear();
    bench.server.dead = false;
    bench.clock.advance(20_000);
    expect(bench.server.bindings.size).toBe(100);
  });

  test("a DN another phone took over does not count as held through the gap", () => {
    bench.server.script = () => ({ status: 200, headers: ["Contact: <sip:5001@192.0.2.77>;expires=300"] });
    bench.presence.signIn("5001");
    bench.clock.advance(20_000);
    bench.server.dead = true;
    bench.clock.advance(30_000);
    bench.history.length = 0;
    bench.server.dead = false;
    bench.clock.advance(15_000);
    expect(bench.history).toEqual([
      "5001 registering",
      "5001 in-service: another phone has taken the DN over",
    ]);
  });

  test("refusals in a row make the pause longer, up to an hour, and a sign-in begins anew", () => {
    bench.server.script = () => ({ status: 404 });
    bench.presence.signIn("5001");
    bench.clock.advance(12_000_000);
    const times = bench.server.of("5001").map(({ at }) => at);
    const gaps = times.slice(1).map((time, index) => (time - (times[index] ?? 0)) / 600_000);
    expect(gaps.map(Math.floor)).toEqual([1, 2, 4, 6]);
    bench.presence.signIn("5001");
    bench.clock.advance(670_000);
    expect(bench.server.of("5001")).toHaveLength(times.length + 2);
  });
});

describe("active and backup", () => {
  const bench = useTrunkBench({ addresses: pairs });

  test("603 of a server that shuts down leads to its peer, not to the long pause", () => {
    bench.server.script = () => ({ status: 603, reason: "Decline" });
    bench.presence.signIn("5001");
    bench.clock.advance(100);
    expect(bench.state()).toBe("in-service");
    expect(bench.second.bindings.has("5001")).toBe(true);
    expect(bench.trunk.serverFor("5001")).toBe(bench.second.flow);
  });

  test("603 of both is a refusal", () => {
    bench.server.script = bench.second.script = () => ({ status: 603, reason: "Decline" });
    bench.presence.signIn("5001");
    bench.clock.advance(599_000);
    expect(bench.trunk.status("5001")).toEqual({ state: "rejected", reason: "603 Decline" });
    expect(bench.server.registers.length + bench.second.registers.length).toBe(2);
  });

  test("outbound calls go by the server that has the DN, also while the others have gone back", () => {
    bench.presence.signIn("5001");
    bench.clock.advance(1_000);
    expect(bench.trunk.serverFor("5001")).toBe(bench.server.flow);
    bench.server.dead = true;
    bench.clock.advance(30_000);
    const release = bench.trunk.retain("5001");
    bench.server.dead = false;
    bench.clock.advance(120_000);
    expect(bench.trunk.pool.current).toBe(bench.server.flow);
    expect(bench.trunk.serverFor("5001")).toBe(bench.second.flow);
    release();
    bench.clock.advance(1_000);
    expect(bench.trunk.serverFor("5001")).toBe(bench.server.flow);
  });
});

describe("999 DNs through a server kill and its return", { timeout: 30_000 }, () => {
  const bench = useTrunkBench({ addresses: pairs });
  const dns = dnsOf(999);
  const busy = ["5100", "5500", "5999"];

  test("never above the pace, calls' DNs first, all in service within 45 s, and back without a gap", () => {
    for (const dn of dns) bench.presence.signIn(dn);
    bench.clock.advance(45_000);
    const release = busy.map((dn) => bench.trunk.retain(dn));
    bench.server.dead = true;
    const killedAt = bench.clock.now();
    while (bench.second.registers.length === 0) bench.clock.advance(100);
    const foundAt = bench.clock.now();
    // OPTIONS each 15 s with two tries of 4 s, unless a REGISTER finds out before.
    expect(foundAt - killedAt).toBeLessThan(25_000);
    const firstMoved = bench.second.registers.slice(0, 3).map(({ dn }) => dn);
    expect(firstMoved.sort()).toEqual(busy);
    while (bench.inService(dns) < 999) bench.clock.advance(100);
    const allInServiceAfter = bench.clock.now() - foundAt;
    expect(allInServiceAfter).toBeGreaterThan((999 / perSecond - 2) * 1000);
    expect(allInServiceAfter).toBeLessThan(45_000);

    bench.server.dead = false;
    bench.server.bindings.clear();
    const returnedAt = bench.clock.now();
    const before = bench.server.registers.length;
    bench.history.length = 0;
    bench.clock.advance(85_000);
    expect(bench.server.registers).toHaveLength(before);
    while (bench.server.bindings.size < 996) bench.clock.advance(500);
    expect(bench.clock.now() - returnedAt).toBeLessThan(90_000 + 10_000 + 45_000);
    // Nobody was out of service on the way back, and those in calls stay where they are.
    expect(bench.history).toEqual([]);
    for (const dn of busy) expect(bench.server.bindings.has(dn)).toBe(false);
    for (const stop of release) stop();
    bench.clock.advance(1_000);
    expect(bench.server.bindings.size).toBe(999);
    for (const server of bench.servers) {
      expect(peak(server.registers, 1_000)).toBeLessThanOrEqual(most);
      // What goes over the wire, repeats and probes included.
      expect(peak(server.datagrams, 1_000)).toBeLessThanOrEqual(most + 80);
    }
  });
});
