import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sipClient } from "../support/sip-client.ts";
import { registrarBench, TestFlow } from "./browser.ts";
import { dnsOf, peak, useTrunkBench } from "./trunk-bench.ts";

describe("who is signed in", () => {
  let bench: ReturnType<typeof registrarBench>;
  beforeEach(() => {
    bench = registrarBench();
  });
  afterEach(() => {
    bench.close();
    expect(bench.clock.pendingTimers).toBe(0);
  });

  test("is listed with browser, address and since when, also while the connection is lost", () => {
    const browser = bench.browser("a");
    bench.clock.advance(5000);
    browser.register();
    const shown = {
      kind: "sip",
      dn: "5001",
      instance: "<urn:uuid:a>",
      userAgent: "JsSIP 3.13.8",
      address: "192.0.2.50:50000",
      since: Date.UTC(2026, 0, 1, 0, 0, 5),
    };
    expect(bench.registrar.list()).toEqual([{ ...shown, reachable: true }]);
    bench.clock.advance(1000);
    browser.register();
    browser.flow.open = false;
    bench.registrar.flowClosed(browser.flow);
    expect(bench.registrar.list()).toEqual([{ ...shown, reachable: false }]);
  });

  test("is listed by what its client speaks, SIP or HTTP", () => {
    bench.browser("a").register();
    const where = {
      userAgent: "grtc",
      address: "192.0.2.7:50123",
      since: 0,
      reachable: true,
      gone: false,
      allowEvents: [],
    };
    const dismissed = (): void => undefined;
    bench.registrar.admit({ kind: "wrtc", dn: "5002", instance: "w", ...where, dismissed });
    const kinds = bench.registrar.list().map(({ dn, kind }) => `${dn} ${kind}`);
    expect(kinds).toEqual(["5001 sip", "5002 wrtc"]);
  });

  test("is signed out by an administrator: its repetitions get 403, a new sign-in is let in", () => {
    const browser = bench.browser("a");
    browser.register();
    expect(bench.registrar.signOut("5002", "why")).toEqual([]);
    expect(bench.registrar.signOut("5001", "why").map(({ flow }) => flow)).toEqual([browser.flow]);
    expect(bench.events).toEqual(["in a", "out a: why"]);
    expect(bench.registrar.list()).toEqual([]);
    expect(browser.register()).toMatchObject({ status: 403, text: expect.stringContaining("Administrator") });
    browser.flow = new TestFlow();
    expect(browser.register().status).toBe(403);
    const anew = bench.browser("b");
    anew.instance = browser.instance;
    expect(anew.register().status).toBe(200);
    expect(sipClient(bench.registrar.find("5001"))?.flow).toBe(anew.flow);
  });

  test("may stay while the gateway is drained, on a new connection too; newcomers get 503", () => {
    const browser = bench.browser("a");
    browser.register();
    bench.registrar.draining = true;
    expect(browser.register().status).toBe(200);
    bench.registrar.flowClosed(browser.flow);
    browser.flow = new TestFlow();
    expect(browser.register().status).toBe(200);
    const newcomer = bench.browser("b");
    const refused = newcomer.register({ dn: "5002" });
    expect([refused.status, refused.header("Retry-After")]).toEqual([503, "30"]);
    expect(newcomer.register({ dn: "5001" }).status).toBe(503);
    expect(browser.register({ headers: ["Expires: 0"] }).status).toBe(200);
    bench.registrar.draining = false;
    expect(newcomer.register({ dn: "5002" }).status).toBe(200);
  });

  test("is not who gives a wrong password: that is told with DN, address and cause", () => {
    const told: unknown[] = [];
    bench.registrar.events.on("login-refused", (...parts) => told.push(parts));
    const browser = bench.browser("a");
    for (let attempt = 0; attempt < 11; attempt++) browser.register({ password: "wrong" });
    expect(told).toHaveLength(11);
    expect(told[0]).toEqual(["5001", "192.0.2.50", "password"]);
    expect(told.at(-1)).toEqual(["5001", "192.0.2.50", "blocked"]);
  });
});

describe("a drained gateway's DNs", () => {
  const bench = useTrunkBench();

  test("leave SIP Server at once, those in a call when it ends, and come back paced", () => {
    const dns = dnsOf(200);
    for (const dn of dns) bench.presence.signIn(dn);
    bench.clock.advance(10_000);
    const release = bench.trunk.retain("5001");
    bench.trunk.drain(true);
    bench.trunk.drain(true);
    bench.clock.advance(10_000);
    expect(bench.inService(dns)).toBe(1);
    expect(Array.from(bench.server.bindings.keys())).toEqual(["5001"]);
    expect(bench.trunk.status("5002")).toEqual({ state: "idle", reason: "the gateway is being drained" });
    release();
    bench.clock.advance(1_000);
    expect(bench.server.bindings.size).toBe(0);
    expect(bench.trunk.status("5001")).toEqual({ state: "idle", reason: "the gateway is being drained" });
    // One that signs in meanwhile, and one that leaves.
    bench.presence.signIn("5300");
    bench.presence.signOut("5002");
    bench.clock.advance(1_000);
    expect(bench.server.bindings.size).toBe(0);
    const since = bench.clock.now();
    bench.trunk.drain(false);
    bench.clock.advance(15_000);
    expect(bench.inService(dns)).toBe(199);
    expect(bench.state("5300")).toBe("in-service");
    expect(bench.trunk.status("5001").reason).toBe("");
    const back = bench.server.registers.filter(({ at }) => at >= since);
    expect(back).toHaveLength(200);
    expect(peak(back, 1_000)).toBeLessThanOrEqual(31);
  });

  test("are let go at SIP Server although one of their two clients was lost, but not where none is left here", () => {
    for (const dn of ["5001", "5002"]) bench.presence.signIn(dn);
    bench.clock.advance(5_000);
    const releases = ["5001", "5002"].map((dn) => bench.trunk.retain(dn));
    bench.trunk.drain(true);
    bench.presence.lose("5001", "another");
    bench.presence.lose("5002");
    for (const release of releases) release();
    bench.clock.advance(5_000);
    expect(Array.from(bench.server.bindings.keys())).toEqual(["5002"]);
  });

  test("that are always registered leave and come back as well", async () => {
    await bench.restart({ mode: "all", allDns: ["5001"] });
    bench.clock.advance(1_000);
    expect(bench.state()).toBe("in-service");
    bench.trunk.drain(true);
    bench.clock.advance(1_000);
    expect([bench.state(), bench.server.bindings.size]).toEqual(["idle", 0]);
    bench.trunk.drain(false);
    bench.clock.advance(1_000);
    expect(bench.state()).toBe("in-service");
  });
});

describe("the list of SIP Servers", () => {
  const bench = useTrunkBench({ addresses: ["192.0.2.10", "192.0.2.11"] });

  test("tells round trip, REGISTERs answered, DNs in service and which one is in use", () => {
    expect(bench.trunk.servers()).toMatchObject([{ roundTripMs: undefined }, { roundTripMs: undefined }]);
    for (const dn of ["5001", "5002"]) bench.presence.signIn(dn);
    bench.clock.advance(5_000);
    const name = "192.0.2.10:5060, 192.0.2.11:5060";
    expect(bench.trunk.servers()).toMatchObject([
      { name, up: true, inUse: true, registered: 2, registers: 2, flow: bench.server.flow },
      { name, up: true, inUse: false, registered: 0, registers: 0, flow: bench.second.flow },
    ]);
    const [first] = bench.trunk.servers();
    expect(first?.roundTripMs).toBeGreaterThan(0);
    expect(first?.roundTripMs).toBeLessThan(100);
    expect(bench.trunk.serverOf("5001")).toBe(bench.server.flow);
    expect(bench.trunk.serverOf("5009")).toBeUndefined();
  });
});
