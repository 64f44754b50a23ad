import type { FastifyReply, FastifyRequest } from "fastify";
import { followRegisterDn, wweGets, wwePosts } from "../wwe/commands.ts";
import type { EndpointPath } from "../wwe/path.ts";
import type { EndpointDesk } from "./desk.ts";
import { refuseAgentToken } from "./refuse-secret.ts";

const json = "application/json; charset=utf-8";
const longestBodyShown = 500;

/** A request of WWE's or of the bridge's for it, let in: `/endpoint/{agent token}/{name}`. */
export function answerWwe(
  desk: EndpointDesk,
  { secret, name }: EndpointPath,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply | Promise<FastifyReply> {
  const { tokens, sessions, servers } = desk.options;
  const holder = tokens.agent(secret);
  if (!holder) return refuseAgentToken(desk, request, reply);
  const { dn, id } = holder;
  const session = sessions.of(dn);
  session.heard(id, followRegisterDn.has(name));
  const posted = request.method === "POST";
  const { body } = request;
  const command = (posted ? wwePosts : wweGets).get(name);
  if (!command) {
    const shown = posted ? { body: shownOf(body) } : {};
    const details = { dn, method: request.method, name: name.slice(0, 40), ...shown };
    desk.note("unknown", details, "endpoint: WWE asks for what is not known");
    return posted
      ? reply.header("content-type", json).send("{}")
      : reply.status(404).send({ error: "there is nothing of this name" });
  }
  if (name === "ping") desk.counters.pings++;
  const refused = (reason: string): void =>
    desk.note("order", { dn, address: request.ip, reason }, "endpoint: an order was not carried out");
  const answer = command({ session, body, servers, refused });
  const send = (text: string): FastifyReply => reply.header("content-type", json).send(text);
  return typeof answer === "string" ? send(answer) : answer.then(send);
}

function shownOf(body: unknown): string | undefined {
  try {
    return JSON.stringify(body)?.slice(0, longestBodyShown);
  } catch {
    return "nested too deeply to be shown";
  }
}
