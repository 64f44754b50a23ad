import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Clock, Logger } from "../core/index.ts";
import { tokenSeconds, type AgentTokens, type TokenRefusal } from "../registrar/index.ts";
import type { Access } from "./access.ts";
import { audited, type ActResult } from "./acts/audited.ts";
import { Guesses } from "./guesses.ts";
import { isJson, notOurs, tooMany } from "./login.ts";
import { originOf } from "./own-origin.ts";
import type { AuditLog } from "./status/audit-log.ts";

/** What issues and takes sign-in tokens; the registrar's are. */
export type TokensDoor = Pick<AgentTokens, "issue" | "redeem">;

export interface TokenRoutesOptions {
  /** Undefined: there is no key to make sessions with. */
  readonly tokens: TokensDoor | undefined;
  readonly access: Access;
  readonly audits: AuditLog;
  /** Browsers reach us by TLS without a proxy in between. */
  readonly secure: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

const bodyLimit = 2048;
/** Wrong tokens from one address before further ones get 429 without a look, and how long one counts, ms. */
const wrongAtOnce = 20;
const wrongCountsMs = 5_000;

const words: Readonly<Record<TokenRefusal, string>> = {
  wrong: "this token is not known: it is wrong, or the gateway was started anew since it was issued",
  expired: "this token has expired",
  used: "this token was used before; each one signs in once",
  "unknown-dn": "nobody may sign in with this DN",
};

/** `POST /api/tokens` for role operate, `POST /api/sign-in` for the softphone page. */
export function registerTokenRoutes(app: FastifyInstance, options: TokenRoutesOptions): void {
  const { tokens, access } = options;
  app.post("/api/tokens", { onRequest: access.operate, bodyLimit }, (request, reply) => {
    if (!isJson(request)) return reply.status(415).send(notJson);
    const { dn } = keysOf(request.body);
    const target = typeof dn === "string" ? dn : null;
    const run = (): ActResult => issue(tokens, keysOf(request.body));
    return audited(options, request, reply, { name: "issue sign-in token", target, run });
  });
  const wrong = new Guesses(options.clock, wrongCountsMs);
  app.post("/api/sign-in", { bodyLimit }, (request, reply) => redeem(options, wrong, request, reply));
}

const notJson = { error: "send Content-Type: application/json" };

function issue(tokens: TokensDoor | undefined, given: Readonly<Record<string, unknown>>): ActResult {
  const { dn, seconds = tokenSeconds.standard } = given;
  const refuse = (status: number, error: string): ActResult => ({ status, body: { error } });
  if (!tokens) return refuse(409, "tokens need a key: write admin.token or agents.tokens.keyFile");
  if (typeof dn !== "string" || dn === "") return refuse(400, 'write {"dn": "...", "seconds": 60}');
  const { least, most } = tokenSeconds;
  if (typeof seconds !== "number" || !(seconds >= least && seconds <= most))
    return refuse(400, `seconds is not a number from ${least} to ${most}`);
  const issued = tokens.issue(dn, seconds);
  if ("token" in issued) {
    const expires = new Date(issued.expiresAt).toISOString();
    return { status: 200, body: { token: issued.token, expires_at: expires } };
  }
  if (issued.refusal === "too-many") return refuse(503, "too many tokens wait to be used");
  return refuse(404, "nobody may sign in with this DN: it is in neither agents.accounts nor agents.ranges");
}

function redeem(
  { tokens, secure, log }: TokenRoutesOptions,
  wrong: Guesses,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  if (!isJson(request)) return reply.status(415).send(notJson);
  if (originOf(request, secure) === "foreign") return reply.status(403).send(notOurs(request));
  const { token } = keysOf(request.body);
  if (typeof token !== "string") return reply.status(400).send({ error: 'write {"token": "..."}' });
  const address = request.ip;
  const result = tokens?.redeem(token) ?? { refusal: "wrong" };
  if (!("refusal" in result)) {
    const { dn, user, realm, ha1, expiresAt } = result;
    log.info({ dn, address, expires: new Date(expiresAt).toISOString() }, "sign-in token used");
    return reply.send({ dn, user, realm, ha1, expires_at: new Date(expiresAt).toISOString() });
  }
  // A right token is always taken: it cannot be guessed, and a whole site may come by one proxy's address.
  const limits = [{ key: address, atOnce: wrongAtOnce }];
  const waitMs = wrong.waitMs(limits);
  if (waitMs > 0) return tooMany(reply, waitMs, "too many wrong tokens from this address");
  wrong.wrong(limits);
  log.warn({ address, reason: result.refusal }, "sign-in token refused");
  return reply.status(401).send({ error: words[result.refusal], reason: result.refusal });
}

function keysOf(body: unknown): Readonly<Record<string, unknown>> {
  return typeof body === "object" && body !== null ? Object.fromEntries(Object.entries(body)) : {};
}
