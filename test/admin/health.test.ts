import Fastify from "fastify";
import { expect, it } from "vitest";
import { registerAdminRoutes, type HealthSources } from "../../src/admin/index.ts";

const answers = { up: true, proven: true };
const silent = { up: false, proven: true };
const unknown = { up: true, proven: false };

function sources(over: Partial<HealthSources>): HealthSources {
  return {
    phase: () => "open",
    registeredAgents: () => 3,
    activeCalls: () => 2,
    sipServers: () => [silent, answers],
    probing: () => true,
    mediaFull: () => false,
    draining: () => false,
    uptime: () => 12.7,
    version: "1.2.3",
    ...over,
  };
}

const starting = "starting: no SIP Server has answered yet";

it.each<{ words: string; over: Partial<HealthSources> }>([
  { words: "starting", over: { phase: () => "starting" } },
  { words: "stopping", over: { phase: () => "stopping" } },
  { words: "draining", over: { draining: () => true } },
  { words: "no SIP Server answers", over: { sipServers: () => [silent, { up: false, proven: false }] } },
  { words: "no SIP Server answers", over: { sipServers: () => [] } },
  { words: starting, over: { sipServers: () => [unknown, silent] } },
  { words: "media workers are full", over: { mediaFull: () => true } },
])("is not ready, and says why: $words", async ({ words, over }) => {
  const app = Fastify();
  registerAdminRoutes(app, sources(over));
  const ready = await app.inject("/health/ready");
  expect([ready.statusCode, ready.json()]).toEqual([503, { status: words }]);
  const health = await app.inject("/api/health");
  expect([health.statusCode, health.json().status]).toEqual([200, "degraded"]);
  expect((await app.inject("/health/live")).statusCode).toBe(200);
  await app.close();
});

it("is ready with a SIP Server that has answered and room for a call, and tells figures without login", async () => {
  const app = Fastify();
  registerAdminRoutes(app, sources({}));
  const ready = await app.inject("/health/ready");
  expect([ready.statusCode, ready.json()]).toEqual([200, { status: "ok" }]);
  expect((await app.inject("/api/health")).json()).toEqual({
    status: "ok",
    service: "jackfield",
    version: "1.2.3",
    registered_agents: 3,
    active_calls: 2,
    sip_servers: 2,
    sip_servers_up: 1,
    media_full: false,
    draining: false,
    uptime_seconds: 12,
    uptime: 12,
  });
  await app.close();
});

it("where SIP Servers are not probed, takes one to be up before anybody has asked it", async () => {
  const app = Fastify();
  registerAdminRoutes(app, sources({ probing: () => false, sipServers: () => [unknown] }));
  expect((await app.inject("/health/ready")).statusCode).toBe(200);
  expect((await app.inject("/api/health")).json()).toMatchObject({ sip_servers_up: 1 });
  await app.close();
});
