import { fastify } from "fastify";
import { expect, it } from "vitest";
import { registerAgentRoute } from "../../../src/admin/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { adminToken, openLogin } from "../support.ts";
import { agent, call, serverFlow } from "./status-bench.ts";

it("GET /api/agents tells who may look who is signed in, where his DN stands and which calls are his", async () => {
  const app = fastify();
  registerAgentRoute(app, {
    access: openLogin(new FakeClock()),
    sources: {
      registrar: { list: () => [agent("5001"), agent("5002", { kind: "wrtc", reachable: false })] },
      trunk: {
        status: (dn) => ({ state: dn === "5001" ? "in-service" : "rejected", reason: "" }),
        serverOf: (dn) => (dn === "5001" ? serverFlow : undefined),
        servers: () => [],
      },
      calls: { calls: () => [call("c1", "5001"), call("c2", "5003"), call("c3", "5001")], setUps: 3 },
    },
  });
  expect((await app.inject("/api/agents")).statusCode).toBe(401);
  const headers = { authorization: `Bearer ${adminToken}` };
  expect((await app.inject({ url: "/api/agents", headers })).json()).toMatchObject({
    agents: [
      {
        dn: "5001",
        kind: "sip",
        reachable: true,
        trunk: { state: "in-service", server: "192.0.2.10:5060" },
        calls: ["c1", "c3"],
      },
      { dn: "5002", kind: "wrtc", reachable: false, trunk: { state: "rejected", server: null }, calls: [] },
    ],
  });
  await app.close();
});
