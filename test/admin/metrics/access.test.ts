import Fastify from "fastify";
import { expect, it } from "vitest";
import { Login, MetricsDoor, registerMetricsRoute, Scrapes } from "../../../src/admin/index.ts";
import { silentLogger } from "../../../src/core/index.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const token = "metrics-0123456789";
const adminToken = "admin-0123456789ab";

function open(access: "token" | "none" = "token") {
  const clock = new FakeClock();
  const app = Fastify();
  const admin = { token: adminToken, users: [], sessions: { idleMinutes: 60, hours: 12 } };
  const login = new Login({ admin, secure: false, clock, random: new CountingRandom(), log: silentLogger });
  let current = token;
  const scrapes = new Scrapes(new MetricsDoor(), clock, silentLogger);
  const asks = { token: () => current, login };
  registerMetricsRoute(app, { scrapes, access: access === "token" ? asks : undefined });
  const ask = async (given?: string, remoteAddress = "192.0.2.7"): Promise<number> => {
    const headers = given === undefined ? {} : { authorization: `Bearer ${given}` };
    return (await app.inject({ url: "/metrics", headers, remoteAddress })).statusCode;
  };
  return { app, login, ask, setToken: (next: string) => (current = next) };
}

it("is told to the metrics token, the admin token and who is signed in, and to nobody else", async () => {
  const { app, ask, login } = open();
  expect([await ask(token), await ask(adminToken)]).toEqual([200, 200]);
  const cookie = `${login.cookieName}=${login.sessions.begin({ who: "anna", role: "read" })}`;
  expect((await app.inject({ url: "/metrics", headers: { cookie } })).statusCode).toBe(200);
  expect([await ask(), await ask("wrong-0123456789ab")]).toEqual([401, 401]);
  // A proxy on this host brings everybody from there.
  expect(await ask(undefined, "127.0.0.1")).toBe(401);
});

it("limits wrong tokens by address as wrong admin tokens are, and never shuts the right one out", async () => {
  const { ask, login } = open();
  const statuses = [];
  for (let guess = 0; guess < 7; guess++) statuses.push(await ask(`wrong-0123456789-${guess}`));
  expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
  expect(await ask(token)).toBe(200);
  expect(await ask("wrong-0123456789ab", "192.0.2.8")).toBe(401);
  expect(login.refusals).toEqual({ wrong: 6, blocked: 2 });
});

it("takes a token that a reload has changed", async () => {
  const { ask, setToken } = open();
  setToken("another-0123456789");
  expect([await ask(token), await ask("another-0123456789")]).toEqual([401, 200]);
});

it("is told to whoever reaches a listener that asks for none, as Prometheus' text", async () => {
  const { app } = open("none");
  const answer = await app.inject("/metrics");
  expect([answer.statusCode, answer.headers["content-type"]]).toEqual([
    200,
    "text/plain; version=0.0.4; charset=utf-8",
  ]);
  expect(answer.body).toContain("process_cpu_seconds_total");
});
