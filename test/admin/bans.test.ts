import { fastify, type FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, it } from "vitest";
import { AuditLog, registerBanRoutes, type Login } from "../../src/admin/index.ts";
import { silentLogger } from "../../src/core/index.ts";
import { LoginGuard } from "../../src/registrar/index.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { adminToken, openLogin } from "./support.ts";

const bearer = { authorization: `Bearer ${adminToken}`, "content-type": "application/json" };

let app: FastifyInstance;
let guard: LoginGuard;
let audits: AuditLog;
let access: Login;

beforeEach(() => {
  app = fastify();
  const clock = new FakeClock();
  const limits = { perAccount: 2, perAddress: 3, perDn: 4, forgiveSeconds: 30, neverBan: [] };
  guard = new LoginGuard({ clock, limits: () => limits, log: silentLogger });
  audits = new AuditLog(clock, silentLogger);
  access = openLogin(clock);
  registerBanRoutes(app, { bans: guard, access, audits });
  for (const address of ["192.0.2.1", "192.0.2.2"])
    for (const dn of ["5001", "5001", "5002"]) guard.failed(address, dn);
});
afterEach(() => app.close());

async function ask(method: "GET" | "DELETE", url: string, headers: Record<string, string> = bearer) {
  const response = await app.inject({ method, url, headers, ...(method === "GET" ? {} : { body: "{}" }) });
  return { status: response.statusCode, body: JSON.parse(response.body) as Record<string, unknown> };
}
const left = (): string[] => guard.list().map(({ address, dn }) => `${address ?? "any"} ${dn ?? "any"}`);

it("who is shut out is told with times", async () => {
  const { status, body } = await ask("GET", "/api/bans");
  expect([status, body["total"]]).toEqual([200, 5]);
  expect(body["bans"]).toContainEqual({
    address: "192.0.2.1",
    dn: "5001",
    failures: 2,
    since: "2026-01-01T00:00:00.000Z",
    until: "2026-01-01T00:00:30.000Z",
  });
  expect(body["bans"]).toContainEqual(expect.objectContaining({ address: null, dn: "5001", failures: 4 }));
  expect(body["bans"]).toContainEqual(
    expect.objectContaining({ address: "192.0.2.2", dn: null, failures: 3 }),
  );
});

it("of more than a thousand the newest are shown, and how many there are", async () => {
  for (let index = 0; index < 1200; index++)
    for (let times = 0; times < 2; times++) guard.failed(`198.51.${index >> 8}.${index & 255}`, `6${index}`);
  const { body } = await ask("GET", "/api/bans");
  expect(body["total"]).toBe(1205);
  expect(body["bans"]).toHaveLength(1000);
});

it("bans are lifted by DN, by address, by both, and all at once; each is audited", async () => {
  expect((await ask("DELETE", "/api/bans?address=192.0.2.1&dn=5001")).body).toEqual({ lifted: 1 });
  expect(left().toSorted()).toEqual(["192.0.2.1 any", "192.0.2.2 5001", "192.0.2.2 any", "any 5001"]);
  expect((await ask("DELETE", "/api/bans?dn=5001")).body).toEqual({ lifted: 2 });
  expect((await ask("DELETE", "/api/bans?address=192.0.2.1")).body).toEqual({ lifted: 1 });
  expect(left()).toEqual(["192.0.2.2 any"]);
  expect((await ask("DELETE", "/api/bans")).body).toEqual({ lifted: 1 });
  expect(audits.recent.since(0).map(({ act, target }) => `${act} ${target}`)).toEqual([
    "lift bans 192.0.2.1 5001",
    "lift bans 5001",
    "lift bans 192.0.2.1",
    "lift bans null",
  ]);
});

it.each(["?dns=5001", "?dn=", "?dn=5001&dn=5002", `?address=${"1".repeat(65)}`])(
  "what is mistyped (%s) lifts nothing",
  async (query) => {
    expect((await ask("DELETE", `/api/bans${query}`)).status).toBe(400);
    expect(left()).toHaveLength(5);
  },
);

it("takes a login to see them, and no form of another page lifts them", async () => {
  expect((await ask("GET", "/api/bans", {})).status).toBe(401);
  expect((await ask("DELETE", "/api/bans", { "content-type": "application/json" })).status).toBe(401);
  expect((await ask("DELETE", "/api/bans", { ...bearer, "content-type": "text/plain" })).status).toBe(415);
});

it("who may only look sees them and lifts none", async () => {
  const cookie = `jackfield-admin=${access.sessions.begin({ who: "ann", role: "read" })}`;
  const headers = { cookie, "content-type": "application/json" };
  expect((await ask("GET", "/api/bans", headers)).status).toBe(200);
  expect((await ask("DELETE", "/api/bans", headers)).status).toBe(403);
  expect(left()).toHaveLength(5);
});
