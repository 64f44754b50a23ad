import { expect, test } from "vitest";
import { dnsOf, pairs, peak, useTrunkBench } from "./trunk-bench.ts";

const bench = useTrunkBench({ addresses: pairs, everyOneAPeer: true });
const at = ["192.0.2.10:5060", "192.0.2.11:5060"] as const;

test("a sign-in registers the DN at both peers at a time, each a registration of its own", () => {
  bench.presence.signIn("5001");
  bench.clock.advance(10);
  const [one] = bench.server.of("5001");
  const [other] = bench.second.of("5001");
  expect(one?.contact).toBe(other?.contact);
  expect(one?.callId).not.toBe(other?.callId);
  expect(bench.trunk.status("5001")).toEqual({ state: "in-service", reason: `at ${at[0]} and ${at[1]}` });
  bench.clock.advance(1_000_000);
  for (const server of bench.servers) expect(server.of("5001").length).toBeGreaterThan(3);
  expect(bench.trunk.counts).toMatchObject({ dns: 2, queued: 0, outstanding: 0 });
});

test("in service at one peer is in service; the status names who has it and why the other has not", () => {
  bench.second.script = () => ({ status: 404, reason: "Not Found" });
  bench.presence.signIn("5001");
  bench.clock.advance(10);
  expect(bench.trunk.status("5001")).toEqual({
    state: "in-service",
    reason: `at ${at[0]}; ${at[1]}: 404 Not Found: DN not configured at SIP Server`,
  });
  expect(bench.history.at(-1)).toContain("404 Not Found");
});

test("not in service anywhere: the better of both standings, with both reasons", () => {
  bench.server.script = () => ({ status: 404, reason: "Not Found" });
  bench.second.script = () => ({ status: 500, reason: "Oops" });
  bench.presence.signIn("5001");
  bench.clock.advance(10);
  expect(bench.trunk.status("5001").state).toBe("backing-off");
  expect(bench.trunk.status("5001").reason).toBe(
    `${at[0]}: 404 Not Found: DN not configured at SIP Server; ${at[1]}: 500 Oops`,
  );
});

test("a peer that dies takes nothing from the other: no DN moves, outbound calls go by the one that lives", () => {
  const dns = dnsOf(100);
  for (const dn of dns) bench.presence.signIn(dn);
  bench.clock.advance(15_000);
  expect(bench.trunk.serverFor("5001")).toBe(bench.server.flow);
  expect(bench.trunk.pool.current).toBe(bench.server.flow);
  const registers = bench.second.registers.length;
  bench.server.dead = true;
  bench.clock.advance(30_000);
  expect(bench.inService(dns)).toBe(100);
  expect(bench.second.registers).toHaveLength(registers);
  expect(bench.trunk.serverFor("5001")).toBe(bench.second.flow);
  expect(bench.trunk.pool.current).toBe(bench.second.flow);
  expect(bench.trunk.pool.list().map(({ up }) => up)).toEqual([false, true]);
  expect(bench.trunk.status("5001").reason).toBe(`at ${at[1]}; ${at[0]}: SIP Server does not answer`);
  bench.server.dead = false;
  bench.clock.advance(20_000);
  expect(bench.trunk.serverFor("5001")).toBe(bench.server.flow);
  expect(bench.trunk.status("5001").reason).toBe(`at ${at[0]} and ${at[1]}`);
});

test("outbound calls of a DN that the preferred peer refuses go by the other", () => {
  bench.server.script = () => ({ status: 603 });
  bench.presence.signIn("5001");
  bench.clock.advance(10);
  expect(bench.trunk.serverFor("5001")).toBe(bench.second.flow);
  expect(bench.trunk.serverFor("5099")).toBe(bench.server.flow);
});

test("signing out un-registers at both", () => {
  bench.presence.signIn("5001");
  bench.clock.advance(10);
  const release = bench.trunk.retain("5001");
  bench.presence.signOut("5001");
  bench.clock.advance(100);
  expect(bench.state()).toBe("in-service");
  release();
  release();
  bench.clock.advance(100);
  for (const server of bench.servers) expect(server.of("5001").at(-1)?.expires).toBe(0);
  expect(bench.trunk.status("5001")).toEqual({ state: "idle", reason: "" });
});

test("999 DNs: the pace holds for both peers together, so that all are in service at both after 80 s", () => {
  const dns = dnsOf(999);
  for (const dn of dns) bench.presence.signIn(dn);
  bench.clock.advance(41_000);
  const both = (): number => bench.servers.reduce((sum, server) => sum + server.bindings.size, 0);
  expect(both()).toBeLessThan(1_040);
  // Sign-in by sign-in at both: nobody waits for the other half.
  expect(bench.inService(dns)).toBeGreaterThan(500);
  bench.clock.advance(41_000);
  expect(both()).toBe(1_998);
  expect(peak([...bench.server.registers, ...bench.second.registers], 1_000)).toBeLessThanOrEqual(31);
}, 30_000);

test("what one pool is asked for, both answer: other servers, redirections, suspensions", () => {
  const { pool } = bench.trunk;
  const moves: (string | undefined)[] = [];
  pool.events.on("moved", (current) => moves.push(current?.remoteAddress));
  expect(pool.other([bench.server.flow])).toBe(bench.second.flow);
  pool.suspend(bench.server.flow, 10_000);
  expect(pool.current).toBe(bench.second.flow);
  expect(pool.isUp(bench.server.flow)).toBe(false);
  expect(pool.unanswered(bench.second.flow, bench.clock.now() + 1)).toBe(true);
  expect(pool.current).toBeUndefined();
  bench.clock.advance(20_000);
  expect(pool.current).toBe(bench.server.flow);
  expect(moves).toEqual(["192.0.2.11", undefined, "192.0.2.11", "192.0.2.10"]);
});
