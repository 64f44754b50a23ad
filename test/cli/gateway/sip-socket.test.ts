import { createSocket } from "node:dgram";
import { afterEach, expect, test } from "vitest";
import { openSipSocket, type SipSocket } from "../../../src/cli/gateway/sip-socket.ts";
import { checkTree, type Config } from "../../../src/config/index.ts";
import { silentLogger } from "../../../src/core/index.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { NameRecords } from "../../support/name-records.ts";

const host = "127.0.0.1";
const clock = new FakeClock();
let open: SipSocket | undefined;

afterEach(async () => {
  await open?.close();
  await open?.close();
  open?.transactions.close();
  open = undefined;
  clock.advance(0);
  expect(clock.pendingTimers).toBe(0);
});

function configOf(sipServer: object): Config {
  const tree = {
    http: { host, port: 0 },
    websocket: { origins: ["http://test.invalid"] },
    sip: { host, port: 0 },
    media: { host },
    agents: { accounts: [{ dn: "5001", password: "correct horse" }] },
    sipServer,
  };
  const checked = checkTree(tree, () => undefined, ".", {});
  if (!checked.ok) throw new Error(JSON.stringify(checked.faults));
  return checked.config;
}

async function openWith(sipServer: object, resolver = new NameRecords()): Promise<SipSocket> {
  const surroundings = {
    clock,
    random: new CountingRandom(),
    log: silentLogger,
    pageDirectory: "",
    resolver,
  };
  return (open = await openSipSocket(configOf(sipServer), surroundings, () => {}));
}

const addresses = (socket: SipSocket): string[][] =>
  socket.peers.map((peer) => peer.list().map(({ remoteAddress }) => remoteAddress));

/** Sends a datagram from an address of loopback; whether the socket took it or dropped it. */
async function heardFrom(socket: SipSocket, address: string): Promise<boolean> {
  const { udp } = socket.transports;
  if (!udp) throw new Error("no UDP socket");
  const { datagramsReceived, droppedByAddress } = udp.counters;
  const sender = createSocket("udp4");
  await new Promise<void>((resolve) => sender.bind(0, address, resolve));
  sender.send("\r\n\r\n", udp.port, host);
  while (udp.counters.datagramsReceived === datagramsReceived)
    await new Promise((resolve) => setImmediate(resolve));
  sender.close();
  return udp.counters.droppedByAddress === droppedByAddress;
}

test("a name that nobody knows at start keeps nothing from starting, and is used when it is known", async () => {
  const dns = new NameRecords();
  const socket = await openWith({ addresses: ["sips.example.com:5060"] }, dns);
  expect(addresses(socket)).toEqual([[]]);
  expect(await heardFrom(socket, "127.0.0.2")).toBe(false);
  dns.a["sips.example.com"] = ["127.0.0.2"];
  await clock.advanceAsync(5_100, 100);
  expect(addresses(socket)).toEqual([["127.0.0.2"]]);
  expect(await heardFrom(socket, "127.0.0.2")).toBe(true);
});

test("who may send SIP follows the names; an address that is gone is heard while calls go by it", async () => {
  const dns = new NameRecords();
  dns.a["sips.example.com"] = ["127.0.0.2"];
  const socket = await openWith({ addresses: ["sips.example.com:5060"], lookupSeconds: 30 }, dns);
  expect(socket.flowTo("sip:5001@127.0.0.2")?.remoteAddress).toBe("127.0.0.2");
  dns.a["sips.example.com"] = ["127.0.0.3"];
  await clock.advanceAsync(31_000, 500);
  expect(await heardFrom(socket, "127.0.0.3")).toBe(true);
  expect(await heardFrom(socket, "127.0.0.2")).toBe(false);
  socket.allowAlso((address) => address === "127.0.0.2");
  expect(await heardFrom(socket, "127.0.0.2")).toBe(true);
  expect(await heardFrom(socket, "127.0.0.4")).toBe(false);
});

test("Business Continuity has a peer for each address, active-backup one for all", async () => {
  const both = ["127.0.0.2:5060", "127.0.0.3:5060"];
  const socket = await openWith({ addresses: both, scheme: "business-continuity" });
  expect(addresses(socket)).toEqual([["127.0.0.2"], ["127.0.0.3"]]);
  await socket.close();
  socket.transactions.close();
  expect(addresses(await openWith({ addresses: both }))).toEqual([["127.0.0.2", "127.0.0.3"]]);
});

test("a DNS that never answers holds the start up for some seconds, not for ever", async () => {
  const dns = new NameRecords();
  dns.addresses = () => new Promise(() => {});
  const opening = openWith({ addresses: ["sips.example.com:5060"] }, dns);
  while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve));
  await clock.advanceAsync(5_000, 500);
  expect(addresses(await opening)).toEqual([[]]);
});
