import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { untilSignal } from "../../../src/cli/commands/until-signal.ts";
import { silentLogger } from "../../../src/core/index.ts";
import type { GatewayDrain } from "../../../src/cli/gateway/drain.ts";
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
