import type { FastifyReply, FastifyRequest } from "fastify";
import { pageKey, type EnrolAnswer, type PageTokenAnswer } from "../contract.ts";
import { fieldOf } from "../wwe/fields.ts";
import type { EndpointDesk } from "./desk.ts";
import { hostName } from "./origins.ts";
import { refuseAgentToken, refuseSecret } from "./refuse-secret.ts";

/** `POST /endpoint/enrol`: a code for an agent token. */
export function enrol(desk: EndpointDesk, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const code = fieldOf(request.body, "code");
  if (typeof code !== "string") return reply.status(400).send({ error: 'write {"code": "..."}' });
  const { tokens, guard, log } = desk.options;
  const enrolled = tokens.enrol(code);
  if ("refusal" in enrolled) return refuseSecret(desk, request, reply, "code", enrolled.refusal);
  const { dn, id, token } = enrolled;
  guard.succeeded(request.ip, dn);
  log.info({ dn, id, address: request.ip }, "endpoint: a bridge is enrolled");
  const answer: EnrolAnswer = { token, dn };
  return reply.send(answer);
}

/** `POST /endpoint/{agent token}/page-token`: what opens the page, without the agent token. */
export function issuePageToken(
  desk: EndpointDesk,
  secret: string,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { tokens, secure } = desk.options;
  const holder = tokens.agent(secret);
  if (!holder) return refuseAgentToken(desk, request, reply);
  const issued = tokens.issuePageToken(holder);
  if (!issued) return reply.status(503).send({ error: "too many page tokens wait to be used" });
  const { token, expiresAt } = issued;
  const url = `${schemeOf(request.host, secure)}://${request.host}/#${pageKey}=${token}`;
  const answer: PageTokenAnswer = { token, url, expires_at: new Date(expiresAt).toISOString() };
  return reply.send(answer);
}

/** Without TLS of our own a proxy that ends it stands before us, but on this very machine. */
function schemeOf(host: string, secure: boolean): "http" | "https" {
  return !secure && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostName(host) ?? "") ? "http" : "https";
}
