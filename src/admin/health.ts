import type { FastifyInstance } from "fastify";

/** What health tells; numbers only, since it is told without login (DESIGN 4). */
export interface HealthSources {
  readonly registeredAgents: () => number;
  readonly activeCalls: () => number;
  readonly sipServerUp: () => boolean;
}

/** `/health/live`, `/health/ready` and `/api/health`; the only routes that tell anything without login. */
export function registerAdminRoutes(app: FastifyInstance, sources: HealthSources): void {
  app.get("/health/live", () => ({ status: "ok" }));
  app.get("/health/ready", (_request, reply) => {
    const up = sources.sipServerUp();
    return reply.status(up ? 200 : 503).send({ status: up ? "ok" : "no SIP Server answers" });
  });
  app.get("/api/health", () => ({
    status: sources.sipServerUp() ? "ok" : "degraded",
    registered_agents: sources.registeredAgents(),
    active_calls: sources.activeCalls(),
  }));
}
