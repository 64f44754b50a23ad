import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { untilSignal } from "../../../src/cli/commands/until-signal.ts";
import { silentLogger } from "../../../src/core/index.ts";
import type { DrainOrder, GatewayDrain } from "../../../src/cli/gateway/drain.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const signals = ["SIGTERM", "SIGINT"] as const;
let exits: unknown[] = [];
let before: Map<NodeJS.Signals, NodeJS.SignalsListener[]>;

beforeEach(() => {
  exits = [];
  before = new Map(signals.map((signal) => [signal, process.listeners(signal)]));
  for (const signal of signals) process.removeAllListeners(signal);
  vi.spyOn(process, "exit").mockImplementation((code): never => {
    exits.push(code);
    return undefined as never;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const signal of signals) {
    process.removeAllListeners(signal);
    for (const listener of before.get(signal) ?? []) process.on(signal, listener);
  }
});

it("a further signal cuts what is being closed with 130; once all is closed it takes nothing from the exit code", async () => {
  const part = Promise.withResolvers<void>();
  const ended = untilSignal({
    log: silentLogger,
    clock: new FakeClock(),
    parts: [{ close: () => part.promise }],
  });
  process.emit("SIGTERM", "SIGTERM");
  expect(exits).toEqual([]);
  process.emit("SIGTERM", "SIGTERM");
  expect(exits).toEqual([130]);
  part.resolve();
  expect(await ended).toBe(0);
  process.emit("SIGINT", "SIGINT");
  expect(exits).toEqual([130, 0]);
});

/** As far as signals are concerned. */
class Draining {
  secondsLeft: number | undefined;
  readonly begun: number[] = [];

  get exits(): boolean {
    return this.secondsLeft !== undefined;
  }

  get progress(): GatewayDrain["progress"] {
    return { state: "draining", calls: 1, pages: 1, dns: 1, secondsLeft: this.secondsLeft };
  }

  begin({ exit }: { readonly exit?: { readonly seconds: number } } = {}): boolean {
    this.begun.push((this.secondsLeft = exit?.seconds ?? Infinity));
    return true;
  }
}

function drained() {
  const gateway = new Draining();
  const closed = Promise.withResolvers<string>();
  const ended = untilSignal({
    log: silentLogger,
    clock: new FakeClock(),
    parts: [{ close: async (reason = "") => closed.resolve(reason) }],
    drain: { of: gateway, seconds: () => 300 },
  });
  let hasClosed = false;
  void closed.promise.then(() => (hasClosed = true));
  return { gateway, ended, closes: () => hasClosed };
}

it.each([
  [60, 60],
  [3600, 300],
])(
  "the first SIGTERM cuts no call of a drain that the API ordered for %i s: they have %i s",
  async (left, has) => {
    const { gateway, ended, closes } = drained();
    gateway.secondsLeft = left;
    process.emit("SIGTERM", "SIGTERM");
    await Promise.resolve();
    expect([gateway.begun, closes()]).toEqual([[has], false]);
    process.emit("SIGTERM", "SIGTERM");
    expect(await ended).toBe(0);
  },
);

it("SIGTERM after a drain that was cancelled drains anew; the next one ends the calls", async () => {
  const { gateway, ended, closes } = drained();
  process.emit("SIGTERM", "SIGTERM");
  gateway.secondsLeft = undefined;
  process.emit("SIGTERM", "SIGTERM");
  await Promise.resolve();
  expect([gateway.begun, closes()]).toEqual([[300, 300], false]);
  process.emit("SIGTERM", "SIGTERM");
  expect(await ended).toBe(0);
});

/** A gateway whose parts are closed when the test says so. */
function begin() {
  const clock = new FakeClock();
  const [first, last] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const closed: string[] = [];
  const itself = Promise.withResolvers<void>();
  const orders: DrainOrder[] = [];
  const gateway = {
    get exits() {
      return orders.length > 0;
    },
    progress: { secondsLeft: undefined },
    begin: (order: DrainOrder) => orders.push(order) > 0,
  } as unknown as GatewayDrain;
  const part = (name: string, end: Promise<void>) => ({
    close: () => {
      closed.push(name);
      return end;
    },
  });
  const ended = untilSignal({
    log: silentLogger,
    clock,
    parts: [part("first", first.promise), part("last", last.promise)],
    drain: { of: gateway, seconds: () => 300 },
    closed: itself.promise,
  });
  return { clock, first, last, closed, itself, orders, ended };
}

it("the first SIGTERM drains, the second closes; what is not closed 3 s later is cut with 130", async () => {
  const { clock, closed, orders } = begin();
  process.emit("SIGTERM", "SIGTERM");
  expect(orders).toEqual([{ exit: { seconds: 300 } }]);
  expect(closed).toEqual([]);
  process.emit("SIGTERM", "SIGTERM");
  expect(orders).toHaveLength(1);
  expect(closed).toEqual(["first"]);
  clock.advance(2999);
  expect(exits).toEqual([]);
  clock.advance(1);
  expect(exits).toEqual([130]);
});

it("what is closed within the 3 s ends with 0, its parts one after the other, and is cut by nothing later", async () => {
  const { clock, first, last, closed, ended } = begin();
  process.emit("SIGTERM", "SIGTERM");
  process.emit("SIGTERM", "SIGTERM");
  expect(closed).toEqual(["first"]);
  first.resolve();
  last.resolve();
  expect(await ended).toBe(0);
  expect(closed).toEqual(["first", "last"]);
  expect(clock.pendingTimers).toBe(0);
});

it("SIGINT drains nothing: it closes at once, and takes the time it takes", async () => {
  const { clock, closed, orders } = begin();
  process.emit("SIGINT", "SIGINT");
  expect([orders, closed]).toEqual([[], ["first"]]);
  clock.advance(60_000);
  expect(exits).toEqual([]);
});

it("a part that cannot be closed makes the exit code 1", async () => {
  const { first, ended } = begin();
  process.emit("SIGINT", "SIGINT");
  first.reject(new Error("no"));
  expect(await ended).toBe(1);
});

it("a gateway that has closed by itself ends the process, too", async () => {
  const { first, last, closed, itself, ended } = begin();
  first.resolve();
  last.resolve();
  itself.resolve();
  expect(await ended).toBe(0);
  expect(closed).toEqual(["first", "last"]);
});
