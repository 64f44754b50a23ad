import type { FastifyReply, FastifyRequest } from "fastify";
import type { AgentStatusAnswer } from "../contract.ts";
import type { EndpointDesk } from "./desk.ts";
import { refuseAgentToken } from "./refuse-secret.ts";

/** `GET /endpoint/{agent token}/status`: no sign of life of WWE's, the DN's time does not begin anew by it. */
export function answerStatus(
  desk: EndpointDesk,
  secret: string,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { tokens, sessions } = desk.options;
  const holder = tokens.agent(secret);
  if (!holder) return refuseAgentToken(desk, request, reply);
  const session = sessions.find(holder.dn);
  const answer: AgentStatusAnswer = {
    in_service: session?.active ?? false,
    page_connected: session?.page.connected ?? false,
    wanted: session !== undefined && session.state !== "idle",
    in_call: session?.inCall ?? false,
  };
  return reply.send(answer);
}
