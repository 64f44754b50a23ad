import { beforeEach, describe, expect, it } from "vitest";
import { PasswordLogin } from "../../../src/cli/gateway/dn-login.ts";
import { silentLogger, TypedEvents } from "../../../src/core/index.ts";
import {
  LoginGuard,
  type Readiness,
  type RegistrarEvents,
  type SignInResult,
} from "../../../src/registrar/index.ts";
import { digestHa1, type DigestSecret } from "../../../src/sip/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const address = "192.0.2.7";
const odd = "p:w&d+ %41é";
const secrets = new Map<string, DigestSecret>([
  ["5001", { password: odd }],
  ["5002", { ha1: { MD5: digestHa1("MD5", "5002", "realm", odd) } }],
  ["5003", { ha1: { "SHA-256": digestHa1("SHA-256", "5003", "realm", odd) } }],
]);

let login: PasswordLogin;
let guard: LoginGuard;
let readiness: Readiness | undefined;
let refused: string[];
let exchanged: string[];

beforeEach(() => {
  const clock = new FakeClock();
  const limits = { perAccount: 3, perAddress: 100, perDn: 50, forgiveSeconds: 30, neverBan: [] };
  guard = new LoginGuard({ clock, limits: () => limits, log: silentLogger });
  readiness = undefined;
  exchanged = [];
  refused = [];
  const events = new TypedEvents<RegistrarEvents>();
  events.on("login-refused", (dn, _address, cause) => refused.push(`${dn} ${cause}`));
  login = new PasswordLogin({
    accounts: {
      // 5004 signs in by tokens alone.
      has: (dn) => secrets.has(dn) || dn === "5004",
      prepare: () => (readiness === undefined ? undefined : Promise.resolve(readiness)),
      secretOf: (dn) => secrets.get(dn),
    },
    guard,
    tokens: {
      exchange(token): Promise<SignInResult> {
        exchanged.push(token);
        if (token === "down.down.down") return Promise.resolve({ refusal: "unavailable", seconds: 5 });
        if (token !== "good.good.good") return Promise.resolve({ refusal: "wrong" });
        return Promise.resolve({ dn: "5004", user: "u", realm: "realm", ha1: "x", expiresAt: 0 });
      },
    },
    realm: "realm",
    registrar: { events },
    log: silentLogger,
  });
});

const outcome = async (dn: string, password: string | undefined): Promise<string> =>
  (await login.judge(dn, password, address)).outcome;

describe("a password", () => {
  it.each(["5001", "5002", "5003"])("is right as it is, however the account has it: %s", async (dn) => {
    expect(await outcome(dn, odd)).toBe("accepted");
    for (const wrong of ["", `${odd} `, odd.toUpperCase(), "p", decodeURIComponent(odd)])
      expect(await outcome(dn, wrong)).not.toBe("accepted");
  });

  it("opens its own DN alone", async () => {
    expect(await outcome("5004", odd)).toBe("refused");
    expect(await outcome("9999", odd)).toBe("refused");
    expect(await outcome("9999", "")).toBe("refused");
    expect(await outcome("5004", "")).toBe("refused");
  });

  it("that is wrong too often shuts out that address for that DN, the right one too, and nobody else", async () => {
    for (let index = 0; index < 4; index++) await outcome("5001", "wrong");
    expect(await login.judge("5001", odd, address)).toEqual({
      outcome: "blocked",
      seconds: expect.any(Number) as number,
    });
    expect(await outcome("5002", odd)).toBe("accepted");
    expect((await login.judge("5001", odd, "192.0.2.8")).outcome).toBe("accepted");
    expect(refused.at(-1)).toBe("5001 blocked");
    expect(refused[0]).toBe("5001 password");
  });

  it("that is wrong too often shuts out those too who asked while the directory was being asked", async () => {
    readiness = "ready";
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => outcome("5001", "wrong")));
    expect(outcomes.filter((one) => one === "refused")).toHaveLength(3);
    expect(outcomes.filter((one) => one === "blocked")).toHaveLength(7);
  });

  it("that is wrong is not made good by signing in without one", async () => {
    for (let guess = 0; guess < 3; guess++) {
      await outcome("5001", "wrong");
      await outcome("5001", undefined);
    }
    expect(await outcome("5001", odd)).toBe("blocked");
  });

  it("cannot be judged while the directory is down; that counts against nobody", async () => {
    for (const state of ["down", "busy"] as const) {
      readiness = state;
      expect(await login.judge("5001", odd, address)).toMatchObject({ outcome: "unavailable" });
    }
    expect(guard.size).toBe(0);
    expect(refused).toEqual([]);
  });
});

describe("a token in the place of the password", () => {
  it("signs in its own DN alone", async () => {
    expect(await outcome("5004", "good.good.good")).toBe("accepted");
    expect(await outcome("5001", "good.good.good")).toBe("refused");
    expect(await outcome("5004", "bad.bad.bad")).toBe("refused");
    expect(await outcome("5004", "down.down.down")).toBe("unavailable");
  });

  it("is asked about only where the password looks like one", async () => {
    await outcome("5001", odd);
    await outcome("5001", "wrong");
    expect(exchanged).toEqual([]);
  });
});

it("without a password a DN must be an agent's all the same", async () => {
  expect(await outcome("5004", undefined)).toBe("accepted");
  expect(await outcome("9999", undefined)).toBe("refused");
  expect(await login.judgeKnown("5001", address)).toEqual({ outcome: "accepted" });
  expect(await login.judgeKnown("9999", address)).toEqual({ outcome: "refused" });
});
