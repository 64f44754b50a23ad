import type { FastifyInstance } from "fastify";

/** What health tells; numbers only, since it is told without login (DESIGN 4). */
export interface HealthSources {
  readonly registeredAgents: () => number;
  readonly activeCalls: () => number;
  readonly sipServerUp: () => boolean;
  /** No media worker takes a further call. */
  readonly mediaFull: () => boolean;
  /** New calls and sign-ins are refused on purpose. */
  readonly draining: () => boolean;
}

/** `/health/live`, `/health/ready` and `/api/health`; the only routes that tell anything without login. */
export function registerAdminRoutes(app: FastifyInstance, sources: HealthSources): void {
  app.get("/health/live", () => ({ status: "ok" }));
  app.get("/health/ready", (_request, reply) => {
    const trouble = troubleOf(sources);
    return reply.status(trouble === undefined ? 200 : 503).send({ status: trouble ?? "ok" });
  });
  app.get("/api/health", () => ({
    status: troubleOf(sources) === undefined ? "ok" : "degraded",
    registered_agents: sources.registeredAgents(),
    active_calls: sources.activeCalls(),
  }));
}

/** Why no new call can be served, undefined when it can. */
function troubleOf({ sipServerUp, mediaFull, draining }: HealthSources): string | undefined {
  if (draining()) return "draining";
  if (!sipServerUp()) return "no SIP Server answers";
  return mediaFull() ? "media workers are full" : undefined;
}
