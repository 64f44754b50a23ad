import { afterEach, beforeEach, expect, test } from "vitest";
import { joinServers, NamedServer, type ServerName } from "../../src/registrar/index.ts";
import { parseUri, type Flow } from "../../src/sip/index.ts";
import { CountingRandom } from "../support/counting-random.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { NameRecords, srvRecord } from "../support/name-records.ts";
import { recordingLog } from "../ws/support.ts";

let clock: FakeClock;
let dns: NameRecords;
let servers: NamedServer[];
let log = recordingLog();
let changes: number;

const flowTo = (address: string, port: number): Flow => ({
  id: `udp|${address}|${port}`,
  protocol: "UDP",
  side: "trunk",
  reliable: false,
  remoteAddress: address,
  remotePort: port,
  sentBy: "192.0.2.20:5070",
  open: true,
  send: () => {},
});

function named(server: ServerName, random = new CountingRandom()): NamedServer {
  const made = new NamedServer({
    server,
    transport: "udp",
    resolver: dns,
    flowTo,
    refreshSeconds: 60,
    clock,
    random,
    log,
  });
  made.onChange(() => changes++);
  servers.push(made);
  return made;
}

const list = (server: { list(): readonly Flow[] }): string[] =>
  server.list().map(({ remoteAddress, remotePort }) => `${remoteAddress}:${remotePort}`);

const uri = (text: string) => {
  const parsed = parseUri(text);
  if (!parsed) throw new Error(text);
  return parsed;
};

beforeEach(() => {
  clock = new FakeClock();
  dns = new NameRecords();
  servers = [];
  changes = 0;
  log = recordingLog();
});

afterEach(async () => {
  for (const server of servers) server.close();
  await clock.advanceAsync(10);
  expect(clock.pendingTimers).toBe(0);
});

test("an address stands for itself and is never looked up", async () => {
  const server = named({ host: "192.0.2.10", port: 5070 });
  expect(list(server)).toEqual(["192.0.2.10:5070"]);
  await server.start();
  server.lookAgain();
  await clock.advanceAsync(300_000, 10_000);
  expect(dns.asked).toEqual([]);
  expect(named({ host: "192.0.2.11" }).list()[0]?.remotePort).toBe(5060);
});

test("a name with a port stands for all its A records, in the order they first had", async () => {
  dns.a["sips.example.com"] = ["192.0.2.12", "192.0.2.10", "192.0.2.11"];
  const server = named({ host: "sips.example.com", port: 5080 });
  await server.start();
  expect(list(server)).toEqual(["192.0.2.12:5080", "192.0.2.10:5080", "192.0.2.11:5080"]);
  expect(dns.asked).toEqual(["A sips.example.com"]);
  changes = 0;
  // The DNS rotates its answers; that is no reason to move 999 DNs.
  dns.a["sips.example.com"] = ["192.0.2.10", "192.0.2.11", "192.0.2.12"];
  await clock.advanceAsync(61_000, 1_000);
  expect(dns.asked).toHaveLength(2);
  expect(list(server)).toEqual(["192.0.2.12:5080", "192.0.2.10:5080", "192.0.2.11:5080"]);
  expect(changes).toBe(0);
});

test("a name without a port is looked up by SRV first, lower priorities first", async () => {
  dns.srv["_sip._udp.example.com"] = [
    srvRecord("backup.example.com", 5062, 20),
    srvRecord("one.example.com", 5061, 10),
  ];
  dns.a["one.example.com"] = ["192.0.2.10"];
  dns.a["backup.example.com"] = ["192.0.2.20", "192.0.2.21"];
  const server = named({ host: "example.com" });
  await server.start();
  expect(list(server)).toEqual(["192.0.2.10:5061", "192.0.2.20:5062", "192.0.2.21:5062"]);
});

test("without SRV records, or a DNS that answers none, the name's A records and port 5060 count", async () => {
  dns.a["example.com"] = ["192.0.2.10"];
  const server = named({ host: "example.com" });
  await server.start();
  expect(list(server)).toEqual(["192.0.2.10:5060"]);
});

test("among SRV records of one priority chance decides by weight, and stays with its choice", async () => {
  dns.a["light.example.com"] = ["192.0.2.10"];
  dns.a["heavy.example.com"] = ["192.0.2.11"];
  dns.a["never.example.com"] = ["192.0.2.12"];
  dns.srv["_sip._udp.example.com"] = [
    srvRecord("never.example.com", 5060, 10, 0),
    srvRecord("light.example.com", 5060, 10, 25),
    srvRecord("heavy.example.com", 5060, 10, 75),
  ];
  let heavyFirst = 0;
  for (let round = 0; round < 200; round++) {
    const server = named({ host: "example.com" }, new CountingRandom(`draw ${round}`));
    await server.start();
    const [first, , last] = list(server);
    if (first === "192.0.2.11:5060") heavyFirst++;
    expect(last).toBe("192.0.2.12:5060");
    if (round > 3) {
      server.close();
      continue;
    }
    const before = list(server);
    await clock.advanceAsync(61_000, 1_000);
    expect(list(server)).toEqual(before);
  }
  expect(heavyFirst).toBeGreaterThan(120);
  expect(heavyFirst).toBeLessThan(180);
});

test("an SRV target without an address is left out as long as another has one", async () => {
  dns.srv["_sip._udp.example.com"] = [
    srvRecord("gone.example.com", 5060),
    srvRecord("one.example.com", 5061),
  ];
  dns.a["one.example.com"] = ["192.0.2.10"];
  const server = named({ host: "example.com" });
  await server.start();
  expect(list(server)).toEqual(["192.0.2.10:5061"]);
});

test("addresses that change are told once, and a URI is found by address or by name", async () => {
  dns.a["sips.example.com"] = ["192.0.2.10"];
  const server = named({ host: "sips.example.com", port: 5060 });
  await server.start();
  expect(changes).toBe(1);
  dns.a["sips.example.com"] = ["192.0.2.10", "192.0.2.11"];
  await clock.advanceAsync(61_000, 1_000);
  expect(changes).toBe(2);
  expect(server.knows("192.0.2.11")).toBe(true);
  expect(server.knows("192.0.2.12")).toBe(false);
  expect(server.find(uri("sip:5001@192.0.2.11"))?.remoteAddress).toBe("192.0.2.11");
  expect(server.find(uri("sip:5001@SIPS.example.com:5060"))?.remoteAddress).toBe("192.0.2.10");
  expect(server.find(uri("sip:5001@sips.example.com:5099"))).toBeUndefined();
  expect(server.find(uri("sip:5001@203.0.113.66"))).toBeUndefined();
});

test("a lookup that fails keeps the addresses it had, and says so once", async () => {
  dns.a["sips.example.com"] = ["192.0.2.10"];
  const server = named({ host: "sips.example.com", port: 5060 });
  await server.start();
  dns.failure = "ESERVFAIL";
  await clock.advanceAsync(300_000, 5_000);
  expect(list(server)).toEqual(["192.0.2.10:5060"]);
  expect(changes).toBe(1);
  expect(log.lines.filter((line) => line.includes("last addresses are kept"))).toHaveLength(1);
});

test("SRV records that cannot be asked for keep their addresses, too: A records are no substitute then", async () => {
  dns.srv["_sip._udp.example.com"] = [srvRecord("one.example.com", 5061)];
  dns.a["one.example.com"] = ["192.0.2.10"];
  dns.a["example.com"] = ["198.51.100.1"];
  const server = named({ host: "example.com" });
  await server.start();
  dns.services = () => Promise.reject(Object.assign(new Error("timeout"), { code: "ETIMEOUT" }));
  await clock.advanceAsync(61_000, 1_000);
  expect(list(server)).toEqual(["192.0.2.10:5061"]);
});

test("a name that is unknown at start is an alarm and is tried until it is known", async () => {
  const server = named({ host: "sips.example.com", port: 5060 });
  await server.start();
  expect(list(server)).toEqual([]);
  expect(log.lines.join("")).toContain("cannot be looked up; trying on");
  dns.a["sips.example.com"] = ["192.0.2.10"];
  await clock.advanceAsync(5_000, 100);
  expect(list(server)).toEqual(["192.0.2.10:5060"]);
  expect(changes).toBe(1);
});

test("when no server answers the name is looked up at once, though not for every probe", async () => {
  dns.a["sips.example.com"] = ["192.0.2.10"];
  const server = named({ host: "sips.example.com", port: 5060 });
  await server.start();
  await clock.advanceAsync(10_000, 1_000);
  for (let probe = 0; probe < 4; probe++) {
    server.lookAgain();
    await clock.advanceAsync(1_000, 100);
  }
  expect(dns.asked).toHaveLength(2);
});

test("several configured servers make one list: all addresses of the first, then those of the next", async () => {
  dns.a["sips.example.com"] = ["192.0.2.10", "192.0.2.11"];
  const joined = joinServers([
    named({ host: "sips.example.com", port: 5060 }),
    named({ host: "192.0.2.11" }),
  ]);
  for (const server of servers) await server.start();
  expect(list(joined)).toEqual(["192.0.2.10:5060", "192.0.2.11:5060"]);
  expect(joined.name).toBe("sips.example.com:5060, 192.0.2.11");
  let told = 0;
  const stop = joined.onChange(() => told++);
  dns.a["sips.example.com"] = ["192.0.2.12"];
  await clock.advanceAsync(61_000, 1_000);
  expect(told).toBe(1);
  expect(list(joined)).toEqual(["192.0.2.12:5060", "192.0.2.11:5060"]);
  expect(joined.find(uri("sip:192.0.2.11"))?.remoteAddress).toBe("192.0.2.11");
  stop();
});

test("addresses that no server can have are left out, and a name that has no other keeps its last ones", async () => {
  dns.a["sips.example.com"] = ["0.0.0.0", "192.0.2.10", "224.0.0.1", "255.255.255.255", "::1"];
  const server = named({ host: "sips.example.com", port: 5080 });
  await server.start();
  expect(list(server)).toEqual(["192.0.2.10:5080"]);
  expect([server.knows("0.0.0.0"), server.knows("192.0.2.10")]).toEqual([false, true]);
  dns.a["sips.example.com"] = ["0.0.0.0"];
  await clock.advanceAsync(61_000, 1_000);
  expect(list(server)).toEqual(["192.0.2.10:5080"]);
  expect(log.lines).toContainEqual(expect.stringContaining("last addresses are kept"));
});

test("an SRV record with port 0 is none, and a name stands for no more than 32 addresses, the preferred ones", async () => {
  dns.a["sips.example.com"] = [];
  dns.a["a.example.com"] = Array.from({ length: 200 }, (_, at) => `192.0.2.${at + 1}`);
  dns.a["b.example.com"] = ["198.51.100.1"];
  dns.srv["_sip._udp.sips.example.com"] = [
    srvRecord("a.example.com", 5060, 20),
    srvRecord("a.example.com", 0, 1),
    srvRecord("b.example.com", 5060, 10),
  ];
  const server = named({ host: "sips.example.com" });
  await server.start();
  expect(list(server)).toHaveLength(32);
  expect(list(server)[0]).toBe("198.51.100.1:5060");
});
