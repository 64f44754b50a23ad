import { describe, expect, test } from "vitest";
import { pairs, peak, dnsOf, useTrunkBench } from "./trunk-bench.ts";

const bench = useTrunkBench();

// The fake clock looks through a thousand timers per step: slow on a busy machine.
describe("999 DNs", { timeout: 30_000 }, () => {
  const dns = dnsOf(999);
  const inService = (): number => bench.inService(dns);

  test("sign-ins of all at once are paced at 25 a second: 40 s, never a volley", () => {
    for (const dn of dns) bench.presence.signIn(dn);
    expect(bench.server.registers).toHaveLength(5);
    bench.clock.advance(10_000);
    expect(bench.server.registers.length).toBeGreaterThan(240);
    expect(bench.server.registers.length).toBeLessThanOrEqual(256);
    bench.clock.advance(31_000);
    expect(inService()).toBe(999);
    expect(peak(bench.server.registers, 1_000)).toBeLessThanOrEqual(31);
    expect(bench.trunk.counts).toMatchObject({ dns: 999, queued: 0, outstanding: 0 });
  });

  test("the refreshes spread over the hour and none comes too late", () => {
    for (const dn of dns) bench.presence.signIn(dn);
    bench.clock.advance(800_000);
    expect(inService()).toBe(999);
    // At the start 255 came in 10 s; each round of +/- 30 s flattens that, toward 44 (999 DNs at 225 s).
    const later = bench.server.registers.filter((request) => request.at > 600_000);
    expect(peak(later, 10_000)).toBeLessThanOrEqual(180);
    expect(bench.history.filter((line) => !/registering$|in-service$/.test(line))).toEqual([]);
  });

  test("no more than 50 wait for an answer at one time", async () => {
    await bench.restart({ perSecond: 1_000 });
    bench.server.script = () => "silence";
    for (const dn of dns) bench.presence.signIn(dn);
    bench.clock.advance(1_000);
    expect(bench.server.registers).toHaveLength(50);
    expect(bench.trunk.counts.outstanding).toBe(50);
  });

  test("a sign-in overtakes the refreshes and re-registrations that wait", async () => {
    await bench.restart({}, {}, pairs);
    for (const dn of dns) bench.presence.signIn(dn);
    bench.clock.advance(45_000);
    bench.server.dead = true;
    for (let waited = 0; waited < 60_000 && bench.trunk.counts.queued < 900; waited += 100)
      bench.clock.advance(100);
    expect(bench.trunk.counts.queued).toBeGreaterThan(900);
    bench.presence.signIn("7000");
    bench.clock.advance(200);
    expect(bench.state("7000")).toBe("in-service");
    expect(bench.trunk.counts.queued).toBeGreaterThan(850);
  });

  test("a dead server is found out once: the rest moves paced to the next, those in calls first", async () => {
    await bench.restart({}, {}, pairs);
    for (const dn of dns) bench.presence.signIn(dn);
    bench.clock.advance(45_000);
    const busy = ["5900", "5950", "5999"];
    const release = busy.map((dn) => bench.trunk.retain(dn));
    const sentBefore = bench.server.datagrams.length;
    bench.server.dead = true;
    while (bench.second.registers.length === 0) bench.clock.advance(100);
    const movedAt = bench.clock.now();
    expect(
      bench.second.registers
        .slice(0, 3)
        .map((request) => request.dn)
        .sort(),
    ).toEqual(busy);
    bench.clock.advance(45_000);
    expect(inService()).toBe(999);
    expect(bench.second.bindings.size).toBe(999);
    expect(peak(bench.second.registers, 1_000)).toBeLessThanOrEqual(31);
    // 999 DNs that each found out alone would have sent some 4,000 datagrams into the void.
    expect(bench.server.datagrams.length - sentBefore).toBeLessThan(250);
    expect(bench.clock.now() - movedAt).toBe(45_000);
    for (const stop of release) stop();
  });

  test("all servers dead: one probe each, no REGISTER; the first answer brings all back, paced", async () => {
    for (const dn of dns) bench.presence.signIn(dn);
    bench.clock.advance(45_000);
    bench.server.dead = true;
    bench.clock.advance(60_000);
    expect(inService()).toBe(0);
    expect(bench.trunk.status("5001")).toEqual({
      state: "backing-off",
      reason: "SIP Server does not answer",
    });
    const before = bench.server.registers.length;
    const probesBefore = bench.server.datagrams.length;
    bench.clock.advance(300_000);
    expect(bench.server.registers).toHaveLength(before);
    // A probe each 9 s, sent four times within its 4 s.
    expect(bench.server.datagrams.length - probesBefore).toBeLessThan(150);
    bench.server.dead = false;
    const back = bench.clock.now();
    bench.clock.advance(9_100);
    expect(inService()).toBeGreaterThan(0);
    bench.clock.advance(42_000);
    expect(inService()).toBe(999);
    const again = bench.server.registers.filter((request) => request.at > back);
    expect(peak(again, 1_000)).toBeLessThanOrEqual(31);
  });

  test("the preferred server gets its DNs back after 90 s up, paced, calls only when they end", async () => {
    await bench.restart({}, {}, pairs);
    const some = dns.slice(0, 100);
    for (const dn of some) bench.presence.signIn(dn);
    bench.clock.advance(10_000);
    bench.server.dead = true;
    bench.clock.advance(60_000);
    expect(bench.second.bindings.size).toBe(100);
    const release = bench.trunk.retain("5001");
    bench.server.dead = false;
    bench.server.bindings.clear();
    bench.history.length = 0;
    bench.clock.advance(80_000);
    expect(bench.server.bindings.size).toBe(0);
    bench.clock.advance(30_000);
    expect(bench.server.bindings.size).toBe(99);
    expect(bench.server.bindings.has("5001")).toBe(false);
    expect(bench.history).toEqual([]);
    release();
    bench.clock.advance(100);
    expect(bench.server.bindings.has("5001")).toBe(true);
  });

  test("a refresh of a DN in a call goes before those of idle DNs that wait", async () => {
    await bench.restart({ perSecond: 2 });
    bench.server.script = (request) => ({ status: 200, headers: [`Contact: ${request.contact};expires=40`] });
    // Due each 20 s at half time: twice as many as the pace allows.
    const some = dns.slice(0, 80);
    for (const dn of some) bench.presence.signIn(dn);
    bench.trunk.retain("5001");
    bench.clock.advance(250_000);
    const longestGap = (dn: string): number => {
      // The first 40 s belong to the sign-ins, which go before everything.
      const times = bench.server
        .of(dn)
        .map((request) => request.at)
        .filter((at) => at > 45_000);
      return Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? 0)));
    };
    expect(longestGap("5001")).toBeLessThan(21_000);
    expect(longestGap("5002")).toBeGreaterThan(25_000);
  });

  test("mode all registers every DN without a sign-in and keeps it", async () => {
    await bench.restart({ mode: "all", allDns: dns.slice(0, 30) });
    bench.clock.advance(5_000);
    expect(bench.server.bindings.size).toBe(30);
    bench.presence.signIn("5001");
    bench.presence.signOut("5001");
    bench.clock.advance(1_000);
    expect(bench.state("5001")).toBe("in-service");
  });
});
