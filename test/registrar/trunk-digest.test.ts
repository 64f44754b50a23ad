import { describe, expect, test } from "vitest";
import { digestScript } from "./sip-server.ts";
import { useTrunkBench } from "./trunk-bench.ts";

const bench = useTrunkBench();

describe("digest", () => {
  const login = { credentials: (dn: string) => ({ username: dn, password: "pw" }) };

  test.each([
    ["401 with qop", { qop: true, password: "pw" }],
    ["401 without qop", { qop: false, password: "pw" }],
    ["407 with qop", { qop: true, password: "pw", status: 407 as const }],
  ])("%s is answered, and the refresh uses the same nonce without being asked", async (_name, options) => {
    await bench.restart({}, login);
    bench.server.script = digestScript(bench.server, options);
    bench.presence.signIn("5001");
    bench.clock.advance(50);
    expect(bench.state()).toBe("in-service");
    expect(bench.server.of("5001")).toHaveLength(2);
    bench.clock.advance(260_000);
    expect(bench.server.of("5001")).toHaveLength(3);
    expect(bench.trunk.counters.challenges).toBe(1);
    expect(bench.history).toEqual(["5001 registering", "5001 in-service"]);
  });

  test("a stale nonce is renewed with the same password", async () => {
    await bench.restart({}, login);
    bench.server.script = digestScript(bench.server, { qop: true, password: "pw", usesPerNonce: 1 });
    bench.presence.signIn("5001");
    bench.clock.advance(1_000_000);
    expect(bench.state()).toBe("in-service");
    expect(bench.trunk.counters.challenges).toBeGreaterThanOrEqual(4);
  });

  test("the un-REGISTER is signed as well", async () => {
    await bench.restart({}, login);
    bench.server.script = digestScript(bench.server, { qop: true, password: "pw", usesPerNonce: 1 });
    bench.presence.signIn("5001");
    bench.clock.advance(50);
    bench.presence.signOut("5001");
    bench.clock.advance(50);
    expect(bench.server.bindings.size).toBe(0);
  });

  test.each([
    ["a wrong password", login],
    ["no password", {}],
  ])("%s is tried twice and ends as rejected, not as a storm", async (_name, more) => {
    await bench.restart({}, more);
    bench.server.script = digestScript(bench.server, { qop: true, password: "another" });
    bench.presence.signIn("5001");
    bench.clock.advance(500_000);
    expect(bench.state()).toBe("rejected");
    expect(bench.trunk.status("5001").reason).toMatch(/^401 Unauthorized: .*password/);
    expect(bench.server.of("5001").length).toBeLessThanOrEqual(5);
    const before = bench.server.of("5001").length;
    bench.clock.advance(90_000);
    expect(bench.server.of("5001")).toHaveLength(before);
  });

  test("a server that challenges for ever is given up, twice", async () => {
    await bench.restart({}, login);
    let nonce = 0;
    bench.server.script = () => ({
      status: 401,
      headers: [`WWW-Authenticate: Digest realm="r", nonce="${++nonce}", stale=true`],
    });
    bench.presence.signIn("5001");
    bench.clock.advance(500_000);
    expect(bench.state()).toBe("rejected");
    expect(bench.server.of("5001")).toHaveLength(8);
  });
});
