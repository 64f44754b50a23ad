import type { FastifyInstance } from "fastify";
import { tokenSeconds, type AgentTokens, type Readiness } from "../registrar/index.ts";
import type { Access } from "./access.ts";
import { audited, type ActResult } from "./acts/audited.ts";
import { isJson } from "./login.ts";
import type { AuditLog } from "./status/audit-log.ts";

/** What issues sign-in tokens; the registrar's do. */
export type TokensDoor = Pick<AgentTokens, "issue">;

export interface TokenRoutesOptions {
  /** Undefined: there is no key to make sessions with. */
  readonly tokens: TokensDoor | undefined;
  /** Makes sure that all is known of a DN; undefined: it is already. */
  readonly prepare: (dn: string, address: string) => Promise<Readiness> | undefined;
  readonly access: Access;
  readonly audits: AuditLog;
}

const bodyLimit = 2048;
/** `POST /api/tokens` for role operate. */
export function registerTokenRoutes(app: FastifyInstance, options: TokenRoutesOptions): void {
  const { tokens, prepare, access } = options;
  app.post("/api/tokens", { onRequest: access.operate, bodyLimit }, async (request, reply) => {
    if (!isJson(request)) return reply.status(415).send(notJson);
    const { dn } = keysOf(request.body);
    const target = typeof dn === "string" ? dn : null;
    const readiness = target === null || !tokens ? "ready" : ((await prepare(target, request.ip)) ?? "ready");
    const run = (): ActResult => (readiness === "ready" ? issue(tokens, keysOf(request.body)) : noDirectory);
    return audited(options, request, reply, { name: "issue sign-in token", target, run });
  });
}

const noDirectory: ActResult = { status: 503, body: { error: "the agents' directory gives no answer" } };
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
  return refuse(
    404,
    "nobody may sign in with this DN: it is in neither agents.accounts, their file, agents.ranges nor the directory",
  );
}

function keysOf(body: unknown): Readonly<Record<string, unknown>> {
  return typeof body === "object" && body !== null ? Object.fromEntries(Object.entries(body)) : {};
}
