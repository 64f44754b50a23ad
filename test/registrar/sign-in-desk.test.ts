import { SignJWT } from "jose";
import { beforeEach, expect, test } from "vitest";
import { silentLogger } from "../../src/core/index.ts";
import { AgentTokens, JwtLogin, LoginGuard, SignInDesk, type Readiness } from "../../src/registrar/index.ts";
import { CountingRandom } from "../support/counting-random.ts";
import { FakeClock } from "../support/fake-clock.ts";

const secret = "0123456789abcdef0123456789abcdef";
const address = "192.0.2.1";

let clock: FakeClock;
let guard: LoginGuard;
let tokens: AgentTokens;
let readiness: Readiness | undefined;
let asked: string[];
let desk: SignInDesk;

beforeEach(() => {
  clock = new FakeClock();
  readiness = undefined;
  asked = [];
  const limits = { perAccount: 2, perAddress: 3, perDn: 9, forgiveSeconds: 30, neverBan: [] };
  guard = new LoginGuard({ clock, limits: () => limits, log: silentLogger });
  const accounts = { has: (dn: string) => dn.startsWith("50") };
  const random = new CountingRandom();
  tokens = new AgentTokens({ secret, realm: "jackfield", sessionMs: 3_600_000, accounts, clock, random });
  const claims = { issuer: "idp", audience: "jackfield", dnClaim: "dn" };
  const times = { clockSkewSeconds: 0, timeoutSeconds: 1 };
  const jwt = new JwtLogin({ algorithms: ["HS256"], secret, ...claims, ...times, clock, log: silentLogger });
  const prepare = (dn: string): Promise<Readiness> | undefined => {
    asked.push(dn);
    return readiness && Promise.resolve(readiness);
  };
  desk = new SignInDesk({ tokens, jwt, guard, prepare });
});

const jwtFor = (dn: string, expires = 300, by = secret): Promise<string> =>
  new SignJWT({ iss: "idp", aud: "jackfield", dn, exp: clock.wallClock() / 1000 + expires })
    .setProtectedHeader({ alg: "HS256" })
    .sign(Buffer.from(by));
const issue = (dn: string): string => {
  const issued = tokens.issue(dn, 60);
  return "token" in issued ? issued.token : "";
};

test("a JWT and a sign-in token are told apart, and get sessions of the same kind and length", async () => {
  const byJwt = await desk.exchange(await jwtFor("5001", 30), address);
  const byToken = await desk.exchange(issue("5001"), address);
  for (const session of [byJwt, byToken])
    expect(session).toMatchObject({ dn: "5001", expiresAt: clock.wallClock() + 3_600_000 });
  expect(asked).toEqual(["5001", "5001"]);
});

test("a token is not used up while the directory gives no answer", async () => {
  const token = issue("5001");
  readiness = "down";
  for (const given of [token, await jwtFor("5001")])
    expect(await desk.exchange(given, address)).toEqual({ refusal: "unavailable", seconds: 5 });
  readiness = "ready";
  expect(await desk.exchange(token, address)).toHaveProperty("ha1");
});

test("forged tokens shut their address out, expired ones do not, and right ones always pass", async () => {
  for (let count = 0; count < 9; count++)
    expect(await desk.exchange(await jwtFor("5001", -1), address)).toEqual({ refusal: "expired" });
  expect(guard.list()).toEqual([]);
  for (const forged of [await jwtFor("5001", 300, "x".repeat(32)), "a.b.c", "no-token-of-ours"])
    expect(await desk.exchange(forged, address)).toEqual({ refusal: "wrong" });
  expect(guard.list()).toMatchObject([{ address, dn: undefined, failures: 3 }]);
  expect(await desk.exchange("a.b.c", address)).toEqual({ refusal: "blocked", seconds: 30 });
  expect(guard.blockedSeconds(address, "5001")).toBe(30);
  expect(await desk.exchange(await jwtFor("5001"), address)).toHaveProperty("ha1");
  expect(guard.blockedSeconds(address, "5001")).toBe(0);
});

test("a right JWT for a DN that may not sign in opens nothing, and counts as no guess", async () => {
  for (let count = 0; count < 9; count++)
    expect(await desk.exchange(await jwtFor("7001"), address)).toEqual({ refusal: "unknown-dn" });
  expect(guard.list()).toEqual([]);
});

test("tokens of either kind that are not taken are counted, those that could not be judged are not", async () => {
  const token = issue("5001");
  await desk.exchange(token, address);
  for (const given of [token, "made-up", await jwtFor("5001", 300, "f".repeat(32)), await jwtFor("5001", -1)])
    await desk.exchange(given, address);
  readiness = "down";
  await desk.exchange(await jwtFor("5001"), address);
  expect(desk.refusals).toBe(4);
});
