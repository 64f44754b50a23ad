import type { FastifyInstance } from "fastify";

/** What health tells; numbers and states only, since it is told without login (DESIGN 4). */
export interface HealthSources {
  /** `starting` until all sockets are bound, `stopping` from the signal on. */
  readonly phase: () => "starting" | "open" | "stopping";
  readonly registeredAgents: () => number;
  readonly activeCalls: () => number;
  /** `proven`: it has answered; before that it is only taken to be up. */
  readonly sipServers: () => readonly { readonly up: boolean; readonly proven: boolean }[];
  /** SIP Servers are asked by OPTIONS; else none is known to answer before the first agent is registered there. */
  readonly probing: () => boolean;
  /** No media worker takes a further call. */
  readonly mediaFull: () => boolean;
  /** New calls and sign-ins are refused on purpose. */
  readonly draining: () => boolean;
  /** Seconds since the start. */
  readonly uptime: () => number;
  /** Of the gateway. */
  readonly version: string;
}

/** `/health/live`, `/health/ready` and `/api/health`; the only routes that tell anything without login. */
export function registerAdminRoutes(app: FastifyInstance, sources: HealthSources): void {
  app.get("/health/live", () => ({ status: "ok" }));
  app.get("/health/ready", (_request, reply) => {
    const trouble = readyTrouble(sources);
    return reply.status(trouble === undefined ? 200 : 503).send({ status: trouble ?? "ok" });
  });
  app.get("/api/health", () => {
    const servers = sources.sipServers();
    return {
      status: readyTrouble(sources) === undefined ? "ok" : "degraded",
      service: "jackfield",
      version: sources.version,
      registered_agents: sources.registeredAgents(),
      active_calls: sources.activeCalls(),
      sip_servers: servers.length,
      sip_servers_up: servers.filter(({ up, proven }) => up && (proven || !sources.probing())).length,
      media_full: sources.mediaFull(),
      draining: sources.draining(),
      // Under both names: the second is what clients of the simple WRTC variant read (wrtc-http-protocol.md 5).
      uptime_seconds: Math.floor(sources.uptime()),
      uptime: Math.floor(sources.uptime()),
    };
  });
}

/** Why no new agent should be sent here; undefined when calls can be served. */
export function readyTrouble(sources: HealthSources): string | undefined {
  const phase = sources.phase();
  if (phase !== "open") return phase;
  if (sources.draining()) return "draining";
  const up = sources.sipServers().filter((server) => server.up);
  if (up.length === 0) return "no SIP Server answers";
  if (sources.probing() && !up.some(({ proven }) => proven))
    return "starting: no SIP Server has answered yet";
  return sources.mediaFull() ? "media workers are full" : undefined;
}
