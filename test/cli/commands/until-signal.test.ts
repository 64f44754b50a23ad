import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { untilSignal } from "../../../src/cli/commands/until-signal.ts";
import { silentLogger } from "../../../src/core/index.ts";
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
