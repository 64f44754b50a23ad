import Fastify from "fastify";
import { expect, it } from "vitest";
import { registerAdminRoutes } from "../../src/admin/index.ts";

it.each([
  { up: true, full: false, status: 200, words: "ok", health: "ok" },
  { up: false, full: false, status: 503, words: "no SIP Server answers", health: "degraded" },
  { up: true, full: false, draining: true, status: 503, words: "draining", health: "degraded" },
  { up: true, full: true, status: 503, words: "media workers are full", health: "degraded" },
])(
  "is ready only with a SIP Server and room for a call: $words",
  async ({ up, full, draining = false, status, words, health }) => {
    const app = Fastify();
    registerAdminRoutes(app, {
      registeredAgents: () => 3,
      activeCalls: () => 2,
      sipServerUp: () => up,
      mediaFull: () => full,
      draining: () => draining,
    });
    const ready = await app.inject("/health/ready");
    expect([ready.statusCode, ready.json()]).toEqual([status, { status: words }]);
    expect((await app.inject("/api/health")).json()).toEqual({
      status: health,
      registered_agents: 3,
      active_calls: 2,
    });
    expect((await app.inject("/health/live")).statusCode).toBe(200);
    await app.close();
  },
);
