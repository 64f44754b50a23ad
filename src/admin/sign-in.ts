import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "../core/index.ts";
import type { SignInDesk, TokenRefusal } from "../registrar/index.ts";
import { isJson, notOurs, tooMany } from "./login.ts";
import { originOf } from "./own-origin.ts";

export interface SignInRouteOptions {
  /** Undefined: there is no key to make sessions with. */
  readonly desk: Pick<SignInDesk, "exchange"> | undefined;
  /** Browsers reach us by TLS without a proxy in between. */
  readonly secure: boolean;
  readonly log: Logger;
}

/** A JWT may have 8 kB. */
const bodyLimit = 16 * 1024;

const words: Readonly<Record<TokenRefusal, string>> = {
  wrong: "this token is not known: it is wrong, or the gateway was started anew since it was issued",
  expired: "this token has expired",
  used: "this token was used before; each one signs in once",
  "unknown-dn": "nobody may sign in with this DN",
};

/** `POST /api/sign-in` for the softphone page: a sign-in token or a JWT for credentials that sign in by digest. */
export function registerSignInRoute(app: FastifyInstance, options: SignInRouteOptions): void {
  app.post("/api/sign-in", { bodyLimit }, (request, reply) => exchange(options, request, reply));
}

async function exchange(
  { desk, secure, log }: SignInRouteOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (!isJson(request)) return reply.status(415).send({ error: "send Content-Type: application/json" });
  if (originOf(request, secure) === "foreign") return reply.status(403).send(notOurs(request));
  const token = tokenOf(request.body);
  if (token === undefined) return reply.status(400).send({ error: 'write {"token": "..."}' });
  const address = request.ip;
  const result = (await desk?.exchange(token, address)) ?? ({ refusal: "wrong" } as const);
  if (!("refusal" in result)) {
    const { dn, user, realm, ha1, expiresAt } = result;
    const expires = new Date(expiresAt).toISOString();
    log.info({ dn, address, expires }, "sign-in token used");
    return reply.send({ dn, user, realm, ha1, expires_at: expires });
  }
  if ("seconds" in result) {
    const { refusal, seconds } = result;
    if (refusal === "blocked")
      return tooMany(reply, seconds * 1000, "too many wrong tokens from this address");
    return reply
      .status(503)
      .header("retry-after", seconds)
      .send({ error: "what tells of agents cannot be reached just now", reason: refusal });
  }
  log.warn({ address, reason: result.refusal }, "sign-in token refused");
  return reply.status(401).send({ error: words[result.refusal], reason: result.refusal });
}

function tokenOf(body: unknown): string | undefined {
  const token: unknown = typeof body === "object" && body !== null ? Reflect.get(body, "token") : undefined;
  return typeof token === "string" ? token : undefined;
}
