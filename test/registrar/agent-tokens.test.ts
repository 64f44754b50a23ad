import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AgentTokens, type SessionCredentials } from "../../src/registrar/index.ts";
import { CountingRandom } from "../support/counting-random.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { registrarBench } from "./browser.ts";

let bench: ReturnType<typeof registrarBench>;
beforeEach(() => void (bench = registrarBench()));
afterEach(() => bench.close());

const hours = 3_600_000;

function tokenFor(dn = "5001", seconds = 60): string {
  const issued = bench.tokens.issue(dn, seconds);
  if (!("token" in issued)) throw new Error(issued.refusal);
  return issued.token;
}

function sessionFor(dn = "5001"): SessionCredentials {
  const session = bench.tokens.redeem(tokenFor(dn));
  if ("refusal" in session) throw new Error(session.refusal);
  return session;
}

const register = ({ user, ha1 }: Pick<SessionCredentials, "user" | "ha1">, dn = "5001", name = "a") =>
  bench.browser(name).register({ dn, username: user, ha1 });

describe("a sign-in token", () => {
  it("signs in once", () => {
    const token = tokenFor();
    expect(token).toMatch(/^[\w-]{32}$/);
    expect(bench.tokens.redeem(token)).toMatchObject({ dn: "5001", realm: "jackfield" });
    expect(bench.tokens.redeem(token)).toEqual({ refusal: "used" });
  });

  it("signs in until its time is over, and is told from a wrong one for a while", () => {
    const [token, late] = [tokenFor(), tokenFor()];
    bench.clock.advance(59_999);
    expect(bench.tokens.redeem(token)).toHaveProperty("ha1");
    bench.clock.advance(1);
    expect(bench.tokens.redeem(late)).toEqual({ refusal: "expired" });
    bench.clock.advance(601_000);
    tokenFor();
    expect(bench.tokens.redeem(late)).toEqual({ refusal: "wrong" });
    expect(bench.tokens.size).toBe(1);
  });

  it("is not forged", () => {
    const token = tokenFor();
    for (const forged of [`${token}x`, token.slice(1), token.toLowerCase(), "", "__proto__"])
      expect([forged, bench.tokens.redeem(forged)]).toEqual([forged, { refusal: "wrong" }]);
  });

  it("is not issued for a DN that nobody may sign in with, nor of use once that is so", () => {
    for (const dn of ["4000", "", "5001;exp=9999999999", "__proto__"])
      expect(bench.tokens.issue(dn, 60)).toEqual({ refusal: "unknown-dn" });
    const token = tokenFor();
    bench.dns.delete("5001");
    expect(bench.tokens.redeem(token)).toEqual({ refusal: "unknown-dn" });
  });

  it("is refused when too many wait, and issued again when they are over", () => {
    for (let count = 0; count < 20_000; count++) bench.tokens.issue("5001", 60);
    expect(bench.tokens.issue("5001", 60)).toEqual({ refusal: "too-many" });
    bench.clock.advance(661_000);
    expect(bench.tokens.issue("5001", 60)).toHaveProperty("token");
    expect(bench.tokens.size).toBe(1);
  });
});

describe("a session behind a token", () => {
  it("registers its DN, again and again, until it expires", () => {
    const session = sessionFor();
    expect(register(session).status).toBe(200);
    expect(bench.registrar.find("5001")?.dn).toBe("5001");
    bench.clock.advance(12 * hours - 1000);
    expect(register(session).status).toBe(200);
    bench.clock.advance(1000);
    expect(register(session)).toMatchObject({ status: 403, text: "SIP/2.0 403 Sign-In Expired" });
  });

  it("outlives a restart, as long as the secret stays", () => {
    const session = sessionFor();
    const anew = (secret: string): AgentTokens =>
      new AgentTokens({
        secret,
        realm: "jackfield",
        sessionMs: 1,
        accounts: { has: () => true },
        clock: new FakeClock(),
        random: new CountingRandom("after"),
      });
    const before = bench.tokens.secretOf(session.user);
    expect(anew("only-this-gateway-knows").secretOf(session.user)).toBe(before);
    expect(anew("another-secret-of-it").secretOf(session.user)).not.toBe(before);
  });

  it("registers no other DN, whatever its user name is made to say", () => {
    const session = sessionFor("5001");
    expect(register(session, "5002").status).toBe(403);
    const other = session.user.replace("5001", "5002");
    expect(register({ ...session, user: other }, "5002").status).toBe(403);
    expect(bench.tokens.secretOf(other)).not.toBe(bench.tokens.secretOf(session.user));
    const longer = session.user.replace(/exp=(\d+)/, (_all, exp) => `exp=${Number(exp) + 3600}`);
    expect(register({ ...session, user: longer }).status).toBe(403);
    for (const user of ["5001", "5001;exp=9999999999", "5001;exp=9999999999;id=", `${session.user};x`])
      expect([user, register({ ...session, user }).status]).toEqual([user, 403]);
    expect(bench.registrar.size).toBe(0);
  });

  it("opens nothing when its DN may sign in no more", () => {
    const session = sessionFor();
    bench.dns.delete("5001");
    expect(register(session).status).toBe(403);
  });

  it("that has expired goes on while a call runs, and counts as no wrong password after it", () => {
    const { user, ha1 } = sessionFor();
    const browser = bench.browser("a");
    const again = () => browser.register({ username: user, ha1 });
    bench.clock.advance(12 * hours - 60_000);
    expect(again().status).toBe(200);
    bench.calls.add("5001 <urn:uuid:a>");
    bench.clock.advance(60_000);
    expect(again().status).toBe(200);
    bench.calls.clear();
    for (let attempt = 0; attempt < 15; attempt++) expect(again().text).toContain("403 Sign-In Expired");
    expect(browser.register().status).toBe(200);
  });

  it("stands beside the DN's password, which goes on signing in", () => {
    expect(register(sessionFor()).status).toBe(200);
    expect(bench.browser("b").register({ dn: "5002" }).status).toBe(200);
  });
});
