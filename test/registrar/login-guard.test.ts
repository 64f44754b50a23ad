import { beforeEach, describe, expect, test } from "vitest";
import { createLogger, silentLogger } from "../../src/core/index.ts";
import { LoginGuard, type Ban, type BanFilter, type LoginLimits } from "../../src/registrar/index.ts";
import { FakeClock } from "../support/fake-clock.ts";

const standard: LoginLimits = { perAccount: 2, perAddress: 5, perDn: 4, forgiveSeconds: 10, neverBan: [] };

let clock: FakeClock;
let limits: LoginLimits;
let guard: LoginGuard;
let told: Ban[];

beforeEach(() => {
  clock = new FakeClock();
  limits = standard;
  told = [];
  guard = new LoginGuard({ clock, limits: () => limits, log: silentLogger });
  guard.events.on("banned", (ban) => told.push(ban));
});

function fail(times: number, address: string, dn?: string): void {
  for (let count = 0; count < times; count++) guard.failed(address, dn);
}

describe("one address at one DN", () => {
  test("is shut out after some failures; each is forgiven after its time, and in the end forgotten", () => {
    guard.failed("192.0.2.1", "5001");
    expect(guard.blockedSeconds("192.0.2.1", "5001")).toBe(0);
    guard.failed("192.0.2.1", "5001");
    expect(guard.blockedSeconds("192.0.2.1", "5001")).toBe(10);
    expect(guard.blockedSeconds("192.0.2.1", "5002")).toBe(0);
    expect(guard.blockedSeconds("192.0.2.2", "5001")).toBe(0);
    clock.advance(9_999);
    expect(guard.blockedSeconds("192.0.2.1", "5001")).toBe(1);
    clock.advance(1);
    expect(guard.blockedSeconds("192.0.2.1", "5001")).toBe(0);
    clock.advance(10_000);
    guard.blockedSeconds("192.0.2.1", "5001");
    expect(guard.size).toBe(0);
  });

  test("may begin anew after a right password", () => {
    fail(1, "192.0.2.1", "5001");
    guard.succeeded("192.0.2.1", "5001");
    fail(1, "192.0.2.1", "5001");
    expect(guard.blockedSeconds("192.0.2.1", "5001")).toBe(0);
  });
});

describe("one address", () => {
  test("is shut out for all DNs it never signed in with, and for those with which it did is not", () => {
    guard.succeeded("192.0.2.1", "5001");
    for (const dn of ["6001", "6002", "6003", "6004", "6005"]) fail(1, "192.0.2.1", dn);
    expect(guard.blockedSeconds("192.0.2.1", "5002")).toBe(10);
    expect(guard.blockedSeconds("192.0.2.1")).toBe(10);
    expect(guard.blockedSeconds("192.0.2.1", "5001")).toBe(0);
    fail(2, "192.0.2.1", "5001");
    expect(guard.blockedSeconds("192.0.2.1", "5001")).toBe(10);
  });

  test("stays shut out for other DNs whatever right password comes from it: guessers may have one of their own", () => {
    for (const dn of ["6001", "6002", "6003", "6004", "6005"]) fail(1, "192.0.2.1", dn);
    guard.succeeded("192.0.2.1", "5001");
    expect(guard.blockedSeconds("192.0.2.1", "6006")).toBe(10);
    expect(guard.list()).toMatchObject([{ address: "192.0.2.1", dn: undefined, failures: 5 }]);
  });

  test("in a net that is never to be shut out is not, but at one DN it is", () => {
    limits = { ...standard, neverBan: ["192.0.2.0/28", "198.51.100.7"] };
    for (const address of ["192.0.2.1", "198.51.100.7", "198.51.100.8"]) fail(9, address);
    expect(guard.blockedSeconds("192.0.2.1")).toBe(0);
    expect(guard.blockedSeconds("198.51.100.7")).toBe(0);
    expect(guard.blockedSeconds("198.51.100.8")).toBe(50);
    fail(2, "192.0.2.1", "5001");
    expect(guard.blockedSeconds("192.0.2.1", "5001")).toBe(10);
  });

  test("is shut out by forged tokens, too, which name no DN", () => {
    fail(5, "192.0.2.1");
    expect(guard.list()).toMatchObject([{ address: "192.0.2.1", dn: undefined, failures: 5 }]);
  });
});

describe("one DN, guessed at from many addresses", () => {
  const attack = (): void => {
    for (let count = 1; count <= 4; count++) fail(1, `203.0.113.${count}`, "5001");
  };

  test("is shut to strangers, and open to the address its agent has signed in from", () => {
    guard.succeeded("192.0.2.1", "5001");
    attack();
    expect(guard.blockedSeconds("203.0.113.99", "5001")).toBe(10);
    expect(guard.blockedSeconds("192.0.2.1", "5001")).toBe(0);
    expect(guard.blockedSeconds("203.0.113.99", "5002")).toBe(0);
    clock.advance(10_000);
    expect(guard.blockedSeconds("203.0.113.99", "5001")).toBe(0);
  });

  test("is not shut by its own agent, who mistypes at his usual address", () => {
    guard.succeeded("192.0.2.1", "5001");
    fail(4, "192.0.2.1", "5001");
    expect(guard.blockedSeconds("192.0.2.9", "5001")).toBe(0);
  });
});

describe("the list of who is shut out", () => {
  test("tells whom, since when, until when, newest first, and each ban once as it begins", () => {
    fail(2, "192.0.2.1", "5001");
    clock.advance(1000);
    fail(5, "192.0.2.2");
    const start = clock.wallClock() - 1000;
    expect(guard.list()).toEqual([
      { address: "192.0.2.2", dn: undefined, failures: 5, since: start + 1000, until: start + 11_000 },
      { address: "192.0.2.1", dn: "5001", failures: 2, since: start, until: start + 10_000 },
    ]);
    fail(1, "192.0.2.2");
    expect(told.map(({ address, dn }) => [address, dn])).toEqual([
      ["192.0.2.1", "5001"],
      ["192.0.2.2", undefined],
    ]);
    clock.advance(60_000);
    expect(guard.list()).toEqual([]);
  });

  test("shows a ban that comes again as begun anew", () => {
    fail(2, "192.0.2.1", "5001");
    clock.advance(10_000);
    fail(1, "192.0.2.1", "5001");
    expect(guard.list()).toMatchObject([{ since: clock.wallClock() }]);
    expect(told).toHaveLength(2);
  });

  test.each<[BanFilter, number]>([
    [{ address: "192.0.2.1" }, 2],
    [{ dn: "5001" }, 3],
    [{ address: "192.0.2.1", dn: "5001" }, 1],
    [{ address: "192.0.2.3" }, 0],
    [{}, 4],
  ])("is cleared of %j: %i bans lifted", (filter, lifted) => {
    fail(5, "192.0.2.1");
    for (const address of ["192.0.2.1", "192.0.2.2"]) fail(2, address, "5001");
    expect(guard.list()).toHaveLength(4);
    expect(guard.forgive(filter)).toBe(lifted);
    expect(guard.list()).toHaveLength(4 - lifted);
  });

  test("is logged with one line for each ban, whatever comes behind it", () => {
    const lines: string[] = [];
    const log = createLogger("info", { write: (line) => void lines.push(line) });
    guard = new LoginGuard({ clock, limits: () => limits, log });
    fail(4, "192.0.2.1", "5001");
    expect(lines.filter((line) => line.includes("shut out"))).toHaveLength(2);
  });
});

test("what is remembered is bounded: of a DN no more than one can have, of addresses a number", () => {
  for (let index = 0; index < 3; index++) guard.failed("192.0.2.1", `${"5".repeat(4000)}${index}`);
  expect(guard.size).toBe(3);
  for (let index = 0; index < 30_000; index++) guard.failed(`2001:db8::${index.toString(16)}`, "5001");
  expect(guard.size).toBeLessThanOrEqual(20_003);
  guard.clear();
  expect(guard.size).toBe(0);
});

test("of who has signed in the last 20,000 are remembered, the one that did so longest ago not", () => {
  guard.succeeded("192.0.2.1", "5001");
  guard.succeeded("192.0.2.1", "5002");
  for (let index = 0; index < 19_998; index++) guard.succeeded("192.0.2.1", `6${index}`);
  guard.succeeded("192.0.2.1", "5001");
  guard.succeeded("192.0.2.1", "7001");
  fail(5, "192.0.2.1");
  expect(guard.blockedSeconds("192.0.2.1", "5001")).toBe(0);
  expect(guard.blockedSeconds("192.0.2.1", "5002")).toBe(10);
});

test("limits that change hold at once", () => {
  fail(2, "192.0.2.1", "5001");
  limits = { ...standard, perAccount: 3 };
  expect(guard.blockedSeconds("192.0.2.1", "5001")).toBe(0);
});
