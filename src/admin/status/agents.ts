import type { FastifyInstance } from "fastify";
import type { CallSummary } from "../../b2bua/index.ts";
import type { Access } from "../access.ts";
import type { AgentStatus } from "./contract.ts";
import { agentId, showAgent } from "./show.ts";
import type { StatusSources } from "./sources.ts";

type AgentSources = Pick<StatusSources, "registrar" | "trunk">;

/** Who is signed in, each with the ids of those of `calls` that are his. */
export function agentsNow({ registrar, trunk }: AgentSources, calls: readonly CallSummary[]): AgentStatus[] {
  const ofAgent = Map.groupBy(calls, agentId);
  return registrar.list().map((agent) => {
    const standing = { status: trunk.status(agent.dn), server: trunk.serverOf(agent.dn) };
    const ids = ofAgent.get(agentId(agent))?.map(({ id }) => id) ?? [];
    return showAgent(agent, standing, ids);
  });
}

export interface AgentRouteOptions {
  readonly sources: AgentSources & Pick<StatusSources, "calls">;
  readonly access: Access;
}

/** `GET /api/agents`, for who asks from time to time instead of listening to `/api/events`. */
export function registerAgentRoute(app: FastifyInstance, { sources, access }: AgentRouteOptions): void {
  app.get("/api/agents", { onRequest: access.check }, () => ({
    agents: agentsNow(sources, sources.calls.calls()),
  }));
}
