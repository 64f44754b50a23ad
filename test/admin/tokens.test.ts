import { fastify, type FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AuditLog, registerSignInRoute, registerTokenRoutes } from "../../src/admin/index.ts";
import { createLogger, silentLogger } from "../../src/core/index.ts";
import { AgentTokens, LoginGuard, SignInDesk } from "../../src/registrar/index.ts";
import { CountingRandom } from "../support/counting-random.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { adminToken, openLogin } from "./support.ts";

const json = { host: "gw.example.com", "content-type": "application/json" };
const bearer = { ...json, authorization: `Bearer ${adminToken}` };

let app: FastifyInstance;
let clock: FakeClock;
let audits: AuditLog;
let lines: string[];

function open(options: { off?: boolean } = {}): void {
  app = fastify();
  clock = new FakeClock();
  lines = [];
  const log = createLogger("debug", { write: (line) => void lines.push(line) });
  audits = new AuditLog(clock, log);
  const accounts = { has: (dn: string) => /^50\d\d$/.test(dn) };
  const secret = "only-this-gateway-knows";
  const random = new CountingRandom();
  const tokens = new AgentTokens({
    secret,
    realm: "jackfield",
    sessionMs: 3_600_000,
    accounts,
    clock,
    random,
  });
  const access = openLogin(clock, { log: silentLogger });
  const limits = { perAccount: 10, perAddress: 20, perDn: 50, forgiveSeconds: 5, neverBan: [] };
  const guard = new LoginGuard({ clock, limits: () => limits, log: silentLogger });
  const prepare = () => undefined;
  registerTokenRoutes(app, { access, audits, prepare, tokens: options.off ? undefined : tokens });
  const desk = options.off ? undefined : new SignInDesk({ tokens, jwt: undefined, guard, prepare });
  registerSignInRoute(app, { desk, secure: false, log });
}
beforeEach(() => open());
afterEach(() => app.close());

interface Told {
  token: string;
  expires_at: string;
  error: string;
  reason: string;
}

async function post(url: string, body: unknown, headers: Record<string, string> = json) {
  const response = await app.inject({ method: "POST", url, headers, body: JSON.stringify(body) });
  const told: Partial<Told> = JSON.parse(response.body);
  return { status: response.statusCode, body: told, headers: response.headers };
}
const issue = (body: unknown, headers: Record<string, string> = bearer) => post("/api/tokens", body, headers);
const signIn = (token: unknown, headers?: Record<string, string>) => post("/api/sign-in", { token }, headers);

describe("issuing a sign-in token", () => {
  it("takes a DN and gives a token for a minute, and writes down who did it, but no token", async () => {
    const { status, body } = await issue({ dn: "5001" });
    expect([status, body.expires_at]).toEqual([200, "2026-01-01T00:01:00.000Z"]);
    expect((await issue({ dn: "5001", seconds: 600 })).body.expires_at).toBe("2026-01-01T00:10:00.000Z");
    expect(audits.recent.since(1)).toMatchObject([
      { who: "token", act: "issue sign-in token", target: "5001", outcome: "done" },
    ]);
    expect(lines.join()).not.toContain(body.token);
  });

  it("needs the role operate", async () => {
    expect((await issue({ dn: "5001" }, json)).status).toBe(401);
    expect((await issue({ dn: "5001" }, { ...bearer, authorization: "Bearer no" })).status).toBe(401);
  });

  it.each([
    [{}, 400],
    [{ dn: 5001 }, 400],
    [{ dn: "" }, 400],
    [null, 400],
    [{ dn: "5001", seconds: 601 }, 400],
    [{ dn: "5001", seconds: 0 }, 400],
    [{ dn: "5001", seconds: "60" }, 400],
    [{ dn: "4711" }, 404],
  ])("is refused for %j with %i", async (body, status) => {
    const answer = await issue(body);
    expect([answer.status, answer.body.error]).toEqual([status, expect.stringMatching(/dn|DN|seconds/)]);
  });

  it("says what is missing where there is no key", async () => {
    open({ off: true });
    expect(await issue({ dn: "5001" })).toMatchObject({ status: 409 });
    expect((await issue({ dn: "5001" })).body.error).toContain("agents.tokens.keyFile");
    expect((await signIn("x")).status).toBe(401);
  });
});

describe("signing in by token", () => {
  it("gives credentials of that DN, once", async () => {
    const { token } = (await issue({ dn: "5001" })).body;
    const { status, body } = await signIn(token);
    expect(status).toBe(200);
    expect(body).toEqual({
      dn: "5001",
      user: expect.stringMatching(/^5001;exp=1767229200;id=[\da-f]{16}$/),
      realm: "jackfield",
      ha1: expect.stringMatching(/^[\da-f]{32}$/),
      expires_at: "2026-01-01T01:00:00.000Z",
    });
    expect(await signIn(token)).toMatchObject({ status: 401, body: { reason: "used" } });
    expect(lines.join()).not.toMatch(/ha1|[\w-]{32}/);
  });

  it("tells an expired token from a wrong one", async () => {
    const { token } = (await issue({ dn: "5001", seconds: 5 })).body;
    clock.advance(5000);
    expect(await signIn(token)).toMatchObject({ status: 401, body: { reason: "expired" } });
    expect(await signIn(`${token}x`)).toMatchObject({ status: 401, body: { reason: "wrong" } });
    for (const bad of [7, null, [token], { token }]) expect((await signIn(bad)).status).toBe(400);
  });

  it("is refused to forms and to pages of others", async () => {
    const { token } = (await issue({ dn: "5001" })).body;
    expect((await signIn(token, { ...json, origin: "https://evil.example" })).status).toBe(403);
    expect((await signIn(token, { ...json, "content-type": "text/plain" })).status).toBe(415);
    expect((await signIn(token, { ...json, origin: "https://gw.example.com" })).status).toBe(200);
  });

  it("is slowed down for who guesses, and never for a right token from the same address", async () => {
    for (let attempt = 0; attempt < 20; attempt++) expect((await signIn(`no${attempt}`)).status).toBe(401);
    const refused = await signIn("no");
    expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "5"]);
    const { token } = (await issue({ dn: "5001" })).body;
    expect((await signIn(token)).status).toBe(200);
    clock.advance(5000);
    expect((await signIn("no")).status).toBe(401);
  });
});
