import { describe, expect, test } from "vitest";
import { digestScript } from "./sip-server.ts";
import { dnsOf, peak, useTrunkBench, type TrunkBench } from "./trunk-bench.ts";

/** SIP Server is killed in the middle of an exchange with a DN and started again: bindings and nonces are forgotten. */

const bench = useTrunkBench();
const login = { more: { credentials: (dn: string) => ({ username: dn, password: "pw" }) } };

/** Everything forgotten; silent for `silentMs`. */
function killer(at: TrunkBench): (silentMs: number) => void {
  let restarts = 0;
  return (silentMs) => {
    at.server.bindings.clear();
    at.server.script = digestScript(at.server, { qop: true, password: "pw", nonces: `life ${++restarts}` });
    if (silentMs === 0) return;
    at.server.dead = true;
    at.clock.setTimer(silentMs, () => (at.server.dead = false));
  };
}

/** The n-th REGISTER of the DN's, and whether the kill comes before it is served or takes its answer along. */
const moments = [
  { words: "the first REGISTER is on its way", nth: 1, served: false },
  { words: "its challenge is lost", nth: 1, served: true },
  { words: "the answer to the challenge is on its way", nth: 2, served: false },
  { words: "the 200 is lost", nth: 2, served: true },
  { words: "the refresh is on its way", nth: 3, served: false },
  { words: "the 200 to the refresh is lost", nth: 3, served: true },
];
const cases = moments.flatMap((moment) =>
  [0, 3000, 20_000, 90_000].map((silentMs) => ({ ...moment, silentMs })),
);

/** Kills the server at the n-th REGISTER; the same one is repeated to the new server, or to nobody. */
function killAt({ nth, served, silentMs }: (typeof cases)[number]): void {
  const kill = killer(bench);
  const first = digestScript(bench.server, { qop: true, password: "pw" });
  let count = 0;
  bench.server.script = (request) => {
    if (++count < nth) return first(request);
    if (served) first(request);
    kill(silentMs);
    return "silence";
  };
}

describe("SIP Server is killed while", () => {
  test.each(cases)("$words, silent for $silentMs ms: the DN is in service in the end", async (the) => {
    await bench.end();
    bench.open(login);
    killAt(the);
    bench.presence.signIn("5001");
    // Until the moment comes: at the latest the refresh.
    bench.clock.advance(the.nth > 2 ? 260_000 : 1_000);
    bench.clock.advance(the.silentMs + 40_000);
    expect(bench.state()).toBe("in-service");
    bench.clock.advance(400_000);
    expect(bench.state()).toBe("in-service");
    expect(bench.server.bindings.has("5001")).toBe(true);
    expect(bench.history.at(-1)).toBe("5001 in-service");
    // Refreshes each 225 s, twice where challenged, and one exchange in all its repeats; the rest are probes.
    const registers = bench.server.datagrams.filter(({ method }) => method === "REGISTER");
    expect(registers.length).toBeLessThanOrEqual(24);
    expect(peak(registers, 1_000)).toBeLessThanOrEqual(4);
  });

  test.each([0, 3000, 20_000])(
    "the un-REGISTER is on its way, silent for %i ms: nothing is left",
    async (ms) => {
      await bench.end();
      bench.open(login);
      bench.server.script = digestScript(bench.server, { qop: true, password: "pw" });
      bench.presence.signIn("5001");
      bench.clock.advance(1_000);
      const kill = killer(bench);
      bench.server.script = () => {
        kill(ms);
        return "silence";
      };
      bench.presence.signOut("5001");
      bench.clock.advance(60_000);
      expect(bench.server.bindings.size).toBe(0);
      expect(bench.trunk.counts).toMatchObject({ queued: 0, outstanding: 0 });
    },
  );

  test("200 DNs are just signing in: all are in service in the end, never above the pace", async () => {
    await bench.end();
    bench.open(login);
    const dns = dnsOf(200);
    bench.server.script = digestScript(bench.server, { qop: true, password: "pw" });
    for (const dn of dns) bench.presence.signIn(dn);
    bench.clock.advance(3_000);
    killer(bench)(25_000);
    bench.clock.advance(25_000);
    const back = bench.clock.now();
    bench.clock.advance(60_000);
    expect(bench.inService(dns)).toBe(200);
    // 25 exchanges a second, each challenged.
    const since = bench.server.registers.filter(({ at }) => at >= back);
    expect(peak(since, 1_000)).toBeLessThanOrEqual(2 * 31);
  });
});
