import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLogger } from "../../src/core/index.ts";
import {
  createServerPool,
  fixedServers,
  type ServerPool,
  type ServerPoolOptions,
} from "../../src/registrar/index.ts";
import { createTransactionLayer } from "../../src/sip/index.ts";
import { CountingRandom } from "../support/counting-random.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { ScriptedServer } from "./sip-server.ts";

let clock: FakeClock;
let layer: ReturnType<typeof createTransactionLayer>;
let first: ScriptedServer;
let second: ScriptedServer;
let pool: ServerPool;
let history: string[];

function start(options: Partial<ServerPoolOptions> = {}): void {
  pool = createServerPool({
    source: fixedServers([first.flow, second.flow]),
    transactions: layer,
    clock,
    random: new CountingRandom(),
    log: silentLogger,
    options,
  });
  pool.events.on("up", (flow) => history.push(`up ${flow.remoteAddress}`));
  pool.events.on("down", (flow) => history.push(`down ${flow.remoteAddress}`));
  pool.events.on("moved", (flow, forced) =>
    history.push(`${forced ? "forced" : "back"} ${flow?.remoteAddress}`),
  );
}

beforeEach(() => {
  clock = new FakeClock();
  history = [];
  layer = createTransactionLayer({
    clock,
    random: new CountingRandom("layer"),
    log: silentLogger,
    user: { onRequest: () => {}, onAck: () => {} },
  });
  [first, second] = [new ScriptedServer(clock, "192.0.2.10"), new ScriptedServer(clock, "192.0.2.11")];
  for (const server of [first, second])
    server.deliver = (flow, bytes) => layer.receive(flow, bytes, "datagram");
});

afterEach(() => {
  pool.close();
  pool.close();
  layer.close();
  clock.advance(5);
  expect(clock.pendingTimers).toBe(0);
  expect(layer.counts.client).toBe(0);
  expect(pool.events.listenerCount).toBe(0);
});

test("each server gets one OPTIONS a turn, and any final answer means up", () => {
  start({ optionsSeconds: 15 });
  clock.advance(60_000);
  expect(first.requests.map((request) => request.method)).toEqual(Array(4).fill("OPTIONS"));
  expect(second.requests).toHaveLength(4);
  expect(first.requests[0]).toMatchObject({ uri: "sip:192.0.2.10:5060", sequence: 1 });
  expect(new Set(first.requests.map((request) => request.callId)).size).toBe(1);
  expect(pool.current).toBe(first.flow);
  expect(history).toEqual([]);
});

test("two missed OPTIONS take a server down and the next one into use", () => {
  start();
  clock.advance(1_000);
  first.dead = true;
  clock.advance(14_000 + 4_100);
  expect(history).toEqual([]);
  clock.advance(5_000);
  expect(history).toEqual(["down 192.0.2.10", "forced 192.0.2.11"]);
  expect(pool.list().map(({ up }) => up)).toEqual([false, true]);
});

test("optionsSeconds 0 asks no server that answers, yet looks after one that went down", () => {
  start({ optionsSeconds: 0 });
  clock.advance(60_000);
  expect(first.requests).toEqual([]);
  first.dead = true;
  expect(pool.unanswered(first.flow, clock.now())).toBe(true);
  clock.advance(21_000);
  const probes = first.requests.length;
  // One each 5 s, with its repeats over UDP.
  expect(new Set(first.requests.map(({ sequence }) => sequence)).size).toBe(3);
  first.dead = false;
  clock.advance(15_000);
  expect(history).toContain("up 192.0.2.10");
  expect(first.requests.length).toBeLessThanOrEqual(probes + 1);
});

test("one missed OPTIONS does not", () => {
  start();
  clock.advance(1_000);
  first.dead = true;
  clock.advance(18_500);
  first.dead = false;
  clock.advance(60_000);
  expect(history).toEqual([]);
});

test("an unanswered request takes a silent server down at once, but not one that answered meanwhile", () => {
  start();
  clock.advance(1_000);
  const sentAt = clock.now();
  clock.advance(2_000);
  pool.heard(first.flow);
  clock.advance(2_000);
  expect(pool.unanswered(first.flow, sentAt)).toBe(false);
  expect(pool.unanswered(first.flow, clock.now() - 1_000)).toBe(true);
  expect(history.slice(0, 2)).toEqual(["down 192.0.2.10", "forced 192.0.2.11"]);
});

test("the way back waits until the better server was up for 90 s without a break", () => {
  start();
  clock.advance(1_000);
  first.dead = true;
  clock.advance(30_000);
  first.dead = false;
  clock.advance(60_000);
  first.dead = true;
  clock.advance(30_000);
  first.dead = false;
  history.length = 0;
  clock.advance(90_000);
  expect(history).toEqual(["up 192.0.2.10"]);
  clock.advance(10_000);
  expect(history).toEqual(["up 192.0.2.10", "back 192.0.2.10"]);
  expect(pool.current).toBe(first.flow);
});

test("without any server there is no current one, and the first that answers is taken at once", () => {
  start();
  clock.advance(1_000);
  first.dead = second.dead = true;
  clock.advance(30_000);
  expect(pool.current).toBeUndefined();
  expect(pool.other([])).toBeUndefined();
  second.dead = false;
  clock.advance(10_000);
  expect(history.slice(-2)).toEqual(["up 192.0.2.11", "forced 192.0.2.11"]);
});

test("a suspended server is passed over for its time, whatever it answers to OPTIONS", () => {
  start({ failBackSeconds: 10 });
  clock.advance(1_000);
  pool.suspend(first.flow, 60_000);
  expect(pool.current).toBe(second.flow);
  expect(pool.other([second.flow])).toBeUndefined();
  clock.advance(59_000);
  expect(pool.current).toBe(second.flow);
  clock.advance(11_000);
  expect(pool.current).toBe(first.flow);
  expect(history).toEqual(["forced 192.0.2.11", "back 192.0.2.10"]);
});

test("strangers are no servers of the pool", () => {
  start();
  const stranger = new ScriptedServer(clock, "203.0.113.1").flow;
  pool.heard(stranger);
  pool.suspend(stranger, 1_000);
  expect(pool.unanswered(stranger, 0)).toBe(true);
  expect(pool.other([first.flow])).toBe(second.flow);
  expect(history).toEqual([]);
});
