import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { silentLogger } from "../../src/core/index.ts";
import {
  createServerPool,
  fixedServers,
  type ServerPool,
  type ServerPoolOptions,
  type ServerPoolSurroundings,
  type ServerSource,
} from "../../src/registrar/index.ts";
import { createTransactionLayer, parseUri, type Flow, type SipUri } from "../../src/sip/index.ts";
import { CountingRandom } from "../support/counting-random.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { ScriptedServer } from "./sip-server.ts";

let clock: FakeClock;
let layer: ReturnType<typeof createTransactionLayer>;
let first: ScriptedServer;
let second: ScriptedServer;
let pool: ServerPool;
let history: string[];

function start(options: Partial<ServerPoolOptions> = {}, more: Partial<ServerPoolSurroundings> = {}): void {
  pool = createServerPool({
    source: fixedServers([first.flow, second.flow]),
    transactions: layer,
    clock,
    random: new CountingRandom(),
    log: silentLogger,
    options,
    ...more,
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

/** A source whose addresses the test changes. */
class Changing implements ServerSource {
  readonly name = "sips.example.com";
  looks = 0;
  #listener = (): void => {};
  #flows: readonly Flow[];

  constructor(flows: readonly Flow[]) {
    this.#flows = flows;
  }

  list = (): readonly Flow[] => this.#flows;
  find = (): undefined => undefined;

  onChange(listener: () => void): () => void {
    this.#listener = listener;
    return () => (this.#listener = () => {});
  }

  lookAgain(): void {
    this.looks++;
  }

  become(flows: readonly Flow[]): void {
    this.#flows = flows;
    this.#listener();
  }
}

describe("addresses that change", () => {
  const uris = (): string[] => pool.list().map(({ flow }) => flow.remoteAddress);

  test("a new one joins in its place and is asked; a better one is gone back to after its time", () => {
    const source = new Changing([second.flow]);
    start({}, { source });
    clock.advance(1_000);
    source.become([first.flow, second.flow]);
    expect(uris()).toEqual(["192.0.2.10", "192.0.2.11"]);
    expect(pool.current).toBe(second.flow);
    clock.advance(89_000);
    expect(first.requests.length).toBeGreaterThan(4);
    expect(history).toEqual([]);
    clock.advance(2_000);
    expect(history).toEqual(["back 192.0.2.10"]);
  });

  test("one that is gone is left as soon as its successor answers, without force, and dropped when idle", () => {
    const source = new Changing([first.flow]);
    let inUse = true;
    let released = 0;
    Object.assign(first.flow, { release: () => released++ });
    start({}, { source, inUse: () => inUse });
    clock.advance(1_000);
    source.become([second.flow]);
    expect(history).toEqual([]);
    clock.advance(10);
    expect(history).toEqual(["back 192.0.2.11"]);
    expect(uris()).toEqual(["192.0.2.11", "192.0.2.10"]);
    const before = first.requests.length;
    clock.advance(60_000);
    expect(uris()).toEqual(["192.0.2.11", "192.0.2.10"]);
    // Still looked after: calls go by it.
    expect(first.requests.length).toBeGreaterThan(before);
    expect(released).toBe(0);
    inUse = false;
    clock.advance(16_000);
    expect(uris()).toEqual(["192.0.2.11"]);
    expect(released).toBe(1);
    const left = first.requests.length;
    clock.advance(60_000);
    expect(first.requests).toHaveLength(left);
  });

  test("one that is gone stays in use while no other answers", () => {
    const source = new Changing([first.flow]);
    start({}, { source });
    clock.advance(1_000);
    second.dead = true;
    source.become([second.flow]);
    clock.advance(30_000);
    expect(pool.current).toBe(first.flow);
    expect(uris()).toEqual(["192.0.2.11", "192.0.2.10"]);
    expect(history).toEqual(["down 192.0.2.11"]);
    second.dead = false;
    clock.advance(10_000);
    expect(pool.current).toBe(second.flow);
  });

  test("one that comes back before it is dropped goes on as it was", () => {
    const source = new Changing([first.flow, second.flow]);
    start({}, { source, inUse: () => true });
    source.become([second.flow]);
    source.become([first.flow, second.flow]);
    expect(uris()).toEqual(["192.0.2.10", "192.0.2.11"]);
    expect(new Set(first.requests.map(({ callId }) => callId)).size).toBe(1);
  });

  test("none at start: the first that becomes known is taken into use", () => {
    const source = new Changing([]);
    start({}, { source });
    expect(pool.current).toBeUndefined();
    clock.advance(10_000);
    source.become([first.flow]);
    expect(history).toEqual(["forced 192.0.2.10"]);
    expect(first.requests).toHaveLength(1);
  });

  test("when none answers the name is looked up again, with every probe that fails", () => {
    const source = new Changing([first.flow]);
    start({}, { source });
    clock.advance(1_000);
    first.dead = true;
    clock.advance(25_000);
    const looks = source.looks;
    expect(looks).toBeGreaterThan(0);
    clock.advance(30_000);
    expect(source.looks).toBeGreaterThan(looks);
    source.become([second.flow]);
    expect(pool.current).toBe(second.flow);
  });
});

test("a 3xx leads to servers of the pool only, by address", () => {
  start();
  const uri = (text: string): SipUri => {
    const parsed = parseUri(text);
    if (!parsed) throw new Error(text);
    return parsed;
  };
  expect(pool.redirected(uri("sip:1003@192.0.2.11"))).toBe(second.flow);
  expect(pool.redirected(uri("sip:1003@203.0.113.66"))).toBeUndefined();
});
