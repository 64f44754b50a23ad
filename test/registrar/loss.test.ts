import { expect, test } from "vitest";
import { seededFraction } from "../support/seeded.ts";
import { dnsOf, pairs, useTrunkBench } from "./trunk-bench.ts";

const bench = useTrunkBench({ addresses: pairs });

test("30 % of the datagrams lost, both ways: every DN is in service, nearly always, and none is given up", () => {
  const dns = dnsOf(100);
  const random = seededFraction(30);
  for (const server of bench.servers) server.loses = () => random() < 0.3;
  for (const dn of dns) bench.presence.signIn(dn);
  bench.clock.advance(60_000);
  let served = 0;
  const looks = 600;
  for (let second = 0; second < looks; second++) {
    bench.clock.advance(1_000);
    served += bench.inService(dns);
  }
  expect(served / (looks * dns.length)).toBeGreaterThan(0.98);
  expect(bench.history.filter((line) => line.includes("rejected"))).toEqual([]);
  for (const server of bench.servers) server.loses = () => false;
  bench.clock.advance(300_000);
  expect(bench.inService(dns)).toBe(100);
});
