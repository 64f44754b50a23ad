import { createSocket } from "node:dgram";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { silentLogger, systemClock, systemRandom } from "../../src/core/index.ts";
import { createTrunkRegistrations } from "../../src/registrar/index.ts";
import { createTransactionLayer, openUdpTransport } from "../../src/sip/index.ts";
import { recordingLog } from "../ws/support.ts";
import { digestScript, PresenceDouble, trunkBench, type Seen } from "./sip-server.ts";

let bench: ReturnType<typeof trunkBench>;

const start = (...args: Parameters<typeof trunkBench>): void => {
  bench = trunkBench(...args);
};

beforeEach(() => start());

afterEach(async () => {
  expect(await bench.end()).toEqual({ timers: 0, clients: 0, dns: 0, queued: 0, outstanding: 0 });
});

/** Restarts the bench of `beforeEach` with other options. */
async function restart(...args: Parameters<typeof trunkBench>): Promise<void> {
  await bench.end();
  start(...args);
}

const state = (dn = "5001"): string => bench.trunk.status(dn).state;
const pairs = ["192.0.2.10", "192.0.2.11"];

/** Largest number of requests within any `windowMs`. */
function peak(requests: readonly Seen[], windowMs: number): number {
  return Math.max(
    0,
    ...requests.map(
      ({ at }) => requests.filter((other) => other.at >= at && other.at < at + windowMs).length,
    ),
  );
}

describe("one DN", () => {
  test("a sign-in registers the DN with our contact at once, in the shape SIP Server takes", () => {
    expect(bench.trunk.status("5001")).toEqual({ state: "idle", reason: "" });
    bench.presence.signIn("5001");
    expect(state()).toBe("registering");
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
    await restart({}, { headers: [["User-Agent", "Jackfield/1"]] });
    bench.presence.signIn("5001");
    expect(bench.server.registers[0]?.text).toContain("\r\nUser-Agent: Jackfield/1\r\n");
  });

  test("an advertised address that SIP Server does not see us at is told in the log, once", async () => {
    const log = recordingLog();
    await restart({}, { log });
    bench.presence.signIn("5001");
    bench.clock.advance(10);
    const told = () => log.lines.filter((line) => line.includes("advertisedAddress"));
    expect(told()).toEqual([]);
    await restart({}, { log, contact: "203.0.113.9:5070" });
    bench.presence.signIn("5001");
    bench.presence.signIn("5002");
    bench.clock.advance(10);
    expect(told()).toHaveLength(1);
  });

  test("a DN that is no plain text is escaped in the URIs", () => {
    bench.presence.signIn("50 01@x");
    bench.clock.advance(10);
    expect(bench.server.registers[0]?.contact).toBe("<sip:50%2001%40x@192.0.2.20:5070>");
    expect(state("50 01@x")).toBe("in-service");
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
    expect(state()).toBe("idle");
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
    expect(state()).toBe("idle");
    bench.clock.advance(1_000);
    expect(bench.server.of("5001").map((request) => request.expires)).toEqual([300, 0]);
    expect(bench.server.bindings.size).toBe(0);
    expect(state()).toBe("idle");
  });

  test("signing in while the un-REGISTER is under way registers after it, never beside it", () => {
    bench.presence.signIn("5001");
    bench.clock.advance(10);
    bench.presence.signOut("5001");
    bench.clock.advance(1);
    bench.presence.signIn("5001");
    expect(state()).toBe("registering");
    expect(bench.server.of("5001")).toHaveLength(2);
    bench.clock.advance(1_000);
    expect(bench.server.of("5001").map((request) => request.expires)).toEqual([300, 0, 300]);
    expect(state()).toBe("in-service");
    expect(bench.server.bindings.size).toBe(1);
  });

  test("a running call keeps the DN registered after the sign-out, the last one that ends lets it go", () => {
    bench.presence.signIn("5001");
    bench.clock.advance(10);
    const release = [bench.trunk.retain("5001"), bench.trunk.retain("5001")];
    bench.presence.signOut("5001");
    bench.clock.advance(600_000);
    expect(state()).toBe("in-service");
    expect(bench.server.of("5001").length).toBeGreaterThan(2);
    expect(bench.server.of("5001").every((request) => request.expires === 300)).toBe(true);
    release[0]?.();
    release[0]?.();
    bench.clock.advance(1_000);
    expect(state()).toBe("in-service");
    release[1]?.();
    bench.clock.advance(1_000);
    expect(bench.server.of("5001").at(-1)?.expires).toBe(0);
    expect(state()).toBe("idle");
  });

  test("a replaced tab never un-registers the DN of the new one", () => {
    bench.presence.signIn("5001");
    bench.clock.advance(10);
    bench.presence.replace("5001");
    bench.clock.advance(10_000);
    expect(bench.server.of("5001")).toHaveLength(1);
    expect(state()).toBe("in-service");
  });

  test("lost REGISTERs and answers are made good by retransmission", () => {
    let received = 0;
    const { script } = bench.server;
    bench.server.script = (request) => (++received < 3 ? "silence" : script(request));
    bench.presence.signIn("5001");
    bench.clock.advance(1_600);
    expect(state()).toBe("in-service");
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
    expect(bench.history.slice(2)).toEqual(["5001 stolen by sip:5001@192.0.2.77:5060"]);
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

describe("digest", () => {
  const login = { credentials: (dn: string) => ({ username: dn, password: "pw" }) };

  test.each([
    ["401 with qop", { qop: true, password: "pw" }],
    ["401 without qop", { qop: false, password: "pw" }],
    ["407 with qop", { qop: true, password: "pw", status: 407 as const }],
  ])("%s is answered, and the refresh uses the same nonce without being asked", async (_name, options) => {
    await restart({}, login);
    bench.server.script = digestScript(bench.server, options);
    bench.presence.signIn("5001");
    bench.clock.advance(50);
    expect(state()).toBe("in-service");
    expect(bench.server.of("5001")).toHaveLength(2);
    bench.clock.advance(260_000);
    expect(bench.server.of("5001")).toHaveLength(3);
    expect(bench.trunk.counters.challenges).toBe(1);
    expect(bench.history).toEqual(["5001 registering", "5001 in-service"]);
  });

  test("a stale nonce is renewed with the same password", async () => {
    await restart({}, login);
    bench.server.script = digestScript(bench.server, { qop: true, password: "pw", usesPerNonce: 1 });
    bench.presence.signIn("5001");
    bench.clock.advance(1_000_000);
    expect(state()).toBe("in-service");
    expect(bench.trunk.counters.challenges).toBeGreaterThanOrEqual(4);
  });

  test("the un-REGISTER is signed as well", async () => {
    await restart({}, login);
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
  ])("%s ends as rejected, not as a storm", async (_name, more) => {
    await restart({}, more);
    bench.server.script = digestScript(bench.server, { qop: true, password: "another" });
    bench.presence.signIn("5001");
    bench.clock.advance(500_000);
    expect(state()).toBe("rejected");
    expect(bench.trunk.status("5001").reason).toMatch(/^401 Unauthorized: .*password/);
    expect(bench.server.of("5001").length).toBeLessThanOrEqual(2);
  });

  test("a server that challenges for ever is given up", async () => {
    await restart({}, login);
    let nonce = 0;
    bench.server.script = () => ({
      status: 401,
      headers: [`WWW-Authenticate: Digest realm="r", nonce="${++nonce}", stale=true`],
    });
    bench.presence.signIn("5001");
    bench.clock.advance(500_000);
    expect(state()).toBe("rejected");
    expect(bench.server.of("5001")).toHaveLength(4);
  });
});

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
    expect(state()).toBe("idle");
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
    expect(state()).toBe("in-service");
  });

  test.each([400, 403, 603])("%i is a refusal: long pause", (status) => {
    bench.server.script = () => ({ status });
    bench.presence.signIn("5001");
    bench.clock.advance(599_000);
    expect(state()).toBe("rejected");
    expect(bench.server.of("5001")).toHaveLength(1);
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
    expect(state()).toBe("in-service");
  });

  test.each(["", "Min-Expires: 10", "Min-Expires: 99999999"])("423 with %j cannot be served", (header) => {
    bench.server.script = () => ({ status: 423, headers: header ? [header] : [] });
    bench.presence.signIn("5001");
    bench.clock.advance(100_000);
    expect(state()).toBe("rejected");
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
    expect(state()).toBe("in-service");
  });

  test("a refresh that fails in passing leaves the DN in service as long as it is granted", () => {
    bench.presence.signIn("5001");
    bench.clock.advance(10);
    bench.server.script = () => ({ status: 500 });
    bench.clock.advance(270_000);
    expect(bench.server.of("5001").length).toBeGreaterThan(1);
    expect(state()).toBe("in-service");
    bench.clock.advance(60_000);
    expect(state()).toBe("backing-off");
    bench.presence.signOut("5001");
    bench.clock.advance(10_000);
  });

  test("a DN that SIP Server refuses is not tried again because a server died", async () => {
    await restart({}, {}, pairs);
    bench.server.script = () => ({ status: 404 });
    bench.presence.signIn("5001");
    bench.clock.advance(1_000);
    bench.server.dead = true;
    bench.clock.advance(60_000);
    expect(bench.trunk.pool.current).toBe(bench.second.flow);
    expect(bench.second.registers).toEqual([]);
    expect(state()).toBe("rejected");
    bench.clock.advance(610_000);
    expect(state()).toBe("in-service");
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
    expect(state()).toBe("in-service");
  });

  test("500 of one server leads to the next one, for this DN only", async () => {
    await restart({}, {}, pairs);
    bench.server.script = (request) =>
      request.dn === "5001" ? { status: 500 } : bench.server.registered(request);
    bench.presence.signIn("5001");
    bench.presence.signIn("5002");
    bench.clock.advance(1_000);
    expect(state("5001")).toBe("in-service");
    expect(state("5002")).toBe("in-service");
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
    expect(state("5001")).toBe("backing-off");
    bench.clock.advance(2_000);
    expect(state("5001")).toBe("in-service");
    expect(state("5002")).toBe("in-service");
  });

  test("302 to a server of ours is followed, to a stranger it is not", async () => {
    await restart({}, {}, pairs);
    bench.server.script = () => ({ status: 302, headers: ["Contact: <sip:192.0.2.11:5060>"] });
    bench.presence.signIn("5001");
    bench.clock.advance(100);
    expect(state()).toBe("in-service");
    expect(bench.second.bindings.has("5001")).toBe(true);

    await restart();
    bench.server.script = () => ({ status: 302, reason: "Moved", headers: ["Contact: <sip:203.0.113.66>"] });
    bench.presence.signIn("5001");
    bench.clock.advance(100);
    expect(bench.trunk.status("5001").reason).toContain(
      "sip:203.0.113.66, which is not in sipServer.addresses",
    );
    expect(state()).toBe("backing-off");
  });

  test("two servers that redirect to each other are not followed for ever", async () => {
    await restart({}, {}, pairs);
    bench.server.script = () => ({ status: 302, headers: ["Contact: <sip:192.0.2.11>"] });
    bench.second.script = () => ({ status: 302, headers: ["Contact: <sip:192.0.2.10>"] });
    bench.presence.signIn("5001");
    bench.clock.advance(4_000);
    expect(state()).toBe("backing-off");
    expect(bench.server.registers.length + bench.second.registers.length).toBeLessThan(10);
  });

  test("silence for one DN of a server that answers others takes nothing else down", async () => {
    await restart({}, {}, pairs);
    bench.server.script = (request) => (request.dn === "5001" ? "silence" : bench.server.registered(request));
    bench.presence.signIn("5001");
    bench.clock.advance(1_000);
    bench.presence.signIn("5002");
    bench.clock.advance(5_000);
    expect(bench.trunk.pool.current?.remoteAddress).toBe("192.0.2.10");
    expect(state("5001")).toBe("in-service");
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
    expect(bench.trunk.pool.list()).toEqual([{ flow: bench.server.flow, up: true }]);
    expect(bench.trunk.counts).toMatchObject({ outstanding: 0, queued: 0 });
  });
});

// The fake clock looks through a thousand timers per step: slow on a busy machine.
describe("999 DNs", { timeout: 30_000 }, () => {
  const dns = Array.from({ length: 999 }, (_value, index) => String(5001 + index));
  const inService = (): number => dns.filter((dn) => state(dn) === "in-service").length;

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
    await restart({ perSecond: 1_000 });
    bench.server.script = () => "silence";
    for (const dn of dns) bench.presence.signIn(dn);
    bench.clock.advance(1_000);
    expect(bench.server.registers).toHaveLength(50);
    expect(bench.trunk.counts.outstanding).toBe(50);
  });

  test("a sign-in overtakes the refreshes and re-registrations that wait", async () => {
    await restart({}, {}, pairs);
    for (const dn of dns) bench.presence.signIn(dn);
    bench.clock.advance(45_000);
    bench.server.dead = true;
    for (let waited = 0; waited < 60_000 && bench.trunk.counts.queued < 900; waited += 100)
      bench.clock.advance(100);
    expect(bench.trunk.counts.queued).toBeGreaterThan(900);
    bench.presence.signIn("7000");
    bench.clock.advance(200);
    expect(state("7000")).toBe("in-service");
    expect(bench.trunk.counts.queued).toBeGreaterThan(850);
  });

  test("a dead server is found out once: the rest moves paced to the next, those in calls first", async () => {
    await restart({}, {}, pairs);
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
    await restart({}, {}, pairs);
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
    await restart({ perSecond: 2 });
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
    await restart({ mode: "all", allDns: dns.slice(0, 30) });
    bench.clock.advance(5_000);
    expect(bench.server.bindings.size).toBe(30);
    bench.presence.signIn("5001");
    bench.presence.signOut("5001");
    bench.clock.advance(1_000);
    expect(state("5001")).toBe("in-service");
  });
});

describe("closing", () => {
  test("closeAll un-registers what is ours, faster than usual but paced, and forgets all", async () => {
    const dns = Array.from({ length: 200 }, (_value, index) => String(5001 + index));
    for (const dn of dns) bench.presence.signIn(dn);
    bench.clock.advance(10_000);
    bench.server.bindings.set("5001", "<sip:5001@192.0.2.77>");
    const release = bench.trunk.retain("5002");
    const since = bench.clock.now();
    const closed = bench.trunk.closeAll({ unregister: true, timeoutMs: 5_000 });
    bench.clock.advance(5_000);
    expect(await closed).toBe(0);
    expect(bench.server.bindings.size).toBe(0);
    const last = bench.server.registers.filter((request) => request.at >= since);
    expect(last).toHaveLength(200);
    expect(peak(last, 1_000)).toBeLessThanOrEqual(121);
    release();
    bench.presence.signIn("5300");
    expect(bench.server.of("5300")).toEqual([]);
    expect(bench.trunk.status("5002").state).toBe("idle");
  });

  test("closeAll gives up at its time limit and says how many were left", async () => {
    for (const dn of ["5001", "5002", "5003"]) bench.presence.signIn(dn);
    bench.clock.advance(100);
    bench.server.script = (request) => (request.dn === "5002" ? "silence" : bench.server.registered(request));
    const closed = bench.trunk.closeAll({ unregister: true, timeoutMs: 1_000 });
    bench.clock.advance(1_000);
    expect(await closed).toBe(1);
    expect(bench.trunk.closeAll({ unregister: true, timeoutMs: 1 })).toBe(closed);
  });

  test("closeAll during a REGISTER under way un-registers after its answer", async () => {
    bench.presence.signIn("5001");
    const closed = bench.trunk.closeAll({ unregister: true, timeoutMs: 1_000 });
    bench.clock.advance(1_000);
    expect(await closed).toBe(0);
    expect(bench.server.of("5001").map((request) => request.expires)).toEqual([300, 0]);
  });

  test("a dead server does not hold up the un-REGISTERs to nobody", async () => {
    bench.presence.signIn("5001");
    bench.clock.advance(20_000);
    bench.server.dead = true;
    bench.clock.advance(40_000);
    const sent = bench.server.registers.length;
    const closed = bench.trunk.closeAll({ unregister: true, timeoutMs: 5_000 });
    bench.clock.advance(100);
    expect(await closed).toBe(0);
    expect(bench.server.registers).toHaveLength(sent);
  });
});

test("over a real UDP socket a DN registers at a server that writes its own text, and un-registers", async () => {
  const server = createSocket("udp4");
  const received: string[] = [];
  server.on("message", (message, remote) => {
    const text = message.toString();
    received.push(text);
    const line = (name: string): string => text.match(new RegExp(`^${name}: .*$`, "m"))?.[0].trim() ?? "";
    const lines = [
      "SIP/2.0 200 OK",
      line("From"),
      line("To"),
      line("Call-ID"),
      line("CSeq"),
      "Content-Length: 0",
    ];
    lines.push(line("Via"), line("Expires"), line("Contact"), "", "");
    server.send(lines.join("\r\n"), remote.port, remote.address);
  });
  await new Promise<void>((resolve) => server.bind(0, "127.0.0.1", resolve));
  const layer = createTransactionLayer({
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    user: { onRequest: () => {}, onAck: () => {} },
  });
  const transport = await openUdpTransport({
    host: "127.0.0.1",
    port: 0,
    advertisedAddress: "127.0.0.1",
    receiver: layer,
    allow: () => true,
    log: silentLogger,
  });
  const presence = new PresenceDouble();
  const trunk = createTrunkRegistrations({
    registrar: presence,
    transactions: layer,
    servers: () => [transport.flowTo("127.0.0.1", server.address().port)],
    contact: `127.0.0.1:${transport.port}`,
    credentials: () => undefined,
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
  });
  const reached = new Promise<void>((resolve) => {
    trunk.events.on("status", (_dn, status) => {
      if (status.state === "in-service") resolve();
    });
  });
  presence.signIn("5001");
  await reached;
  presence.signOut("5001");
  expect(await trunk.closeAll({ unregister: true, timeoutMs: 2_000 })).toBe(0);
  const registers = received.filter((text) => text.startsWith("REGISTER "));
  expect(registers.map((text) => text.match(/^Expires: (\d+)/m)?.[1])).toEqual(["300", "0"]);
  expect(received.some((text) => text.startsWith("OPTIONS "))).toBe(true);
  expect(registers[0]).toContain(`Contact: <sip:5001@127.0.0.1:${transport.port}>`);
  layer.close();
  await transport.close();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});
