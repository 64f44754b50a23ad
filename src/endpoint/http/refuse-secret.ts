import type { FastifyReply, FastifyRequest } from "fastify";
import type { EndpointTokenRefusal } from "../tokens/endpoint-tokens.ts";
import type { EndpointDesk } from "./desk.ts";

const words: Readonly<Record<EndpointTokenRefusal, string>> = {
  wrong: "is not known: it is wrong or revoked, or the gateway was started anew since it was issued",
  used: "was used before; each one is good once",
  expired: "has expired",
};

/** 401 for a token or code that opens nothing, 429 for whom guesses. A right one is always taken: it cannot be guessed. */
export function refuseSecret(
  desk: EndpointDesk,
  request: FastifyRequest,
  reply: FastifyReply,
  kind: "token" | "code",
  refusal: EndpointTokenRefusal,
): FastifyReply {
  const { guard } = desk.options;
  const seconds = refusal === "wrong" ? guard.blockedSeconds(request.ip) : 0;
  if (seconds > 0) {
    reply.header("retry-after", seconds);
    return desk.refuse(request, reply, "blocked", 429, `too many wrong ${kind}s from this address`);
  }
  if (refusal === "wrong") guard.failed(request.ip);
  return desk.refuse(request, reply, kind, 401, `this ${kind} ${words[refusal]}`, refusal);
}

/** 401 for an agent token in the path that is none. */
export function refuseAgentToken(
  desk: EndpointDesk,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  return desk.refuse(request, reply, "token", 401, "this token is not known: it is wrong or revoked");
}
