import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { pageKey, type EndpointSession, type EndpointTokens } from "../endpoint/index.ts";
import type { Readiness } from "../registrar/index.ts";
import type { Access } from "./access.ts";
import { audited, type ActResult } from "./acts/audited.ts";
import { isJson } from "./login.ts";
import type { AuditLog } from "./status/audit-log.ts";

export interface EndpointTokenRoutesOptions {
  readonly tokens: Pick<EndpointTokens, "issueAgent" | "issueCode">;
  readonly sessions: { all(): readonly Pick<EndpointSession, "dn" | "state" | "page" | "tokenId">[] };
  /** The DNs that may sign in here. */
  readonly accounts: { has(dn: string): boolean };
  /** Makes sure that all is known of a DN; undefined: it is already. */
  readonly prepare: (dn: string, address: string) => Promise<Readiness> | undefined;
  readonly access: Access;
  readonly audits: AuditLog;
}

const bodyLimit = 2048;

/** Tokens and codes of WWE's SIP endpoint API for role operate, its sessions for role read. */
export function registerEndpointTokenRoutes(app: FastifyInstance, options: EndpointTokenRoutesOptions): void {
  const { tokens, sessions, access } = options;
  app.post("/api/endpoint/tokens", { onRequest: access.operate, bodyLimit }, (request, reply) =>
    issue(options, request, reply, "issue endpoint token", (dn) => {
      const { token, id } = tokens.issueAgent(dn);
      return { status: 200, body: { token, id, path: `/endpoint/${token}/`, page: `/#${pageKey}=${token}` } };
    }),
  );
  app.post("/api/endpoint/codes", { onRequest: access.operate, bodyLimit }, (request, reply) =>
    issue(options, request, reply, "issue endpoint code", (dn) => {
      const issued = tokens.issueCode(dn);
      if (!issued) return { status: 503, body: { error: "too many codes wait to be used" } };
      return {
        status: 200,
        body: { code: issued.code, expires_at: new Date(issued.expiresAt).toISOString() },
      };
    }),
  );
  app.get("/api/endpoint/sessions", { onRequest: access.check }, (_request, reply) =>
    reply.send({
      sessions: sessions.all().map(({ dn, state, page, tokenId }) => ({
        dn,
        state,
        page: page.connected,
        token_id: tokenId ?? null,
      })),
    }),
  );
}

async function issue(
  options: EndpointTokenRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  make: (dn: string) => ActResult,
): Promise<FastifyReply> {
  if (!isJson(request)) return reply.status(415).send({ error: "send Content-Type: application/json" });
  const { body } = request;
  const dn: unknown = typeof body === "object" && body !== null ? Reflect.get(body, "dn") : undefined;
  const target = typeof dn === "string" && dn !== "" ? dn : null;
  const readiness = target === null ? "ready" : ((await options.prepare(target, request.ip)) ?? "ready");
  const run = (): ActResult => {
    if (target === null) return { status: 400, body: { error: 'write {"dn": "..."}' } };
    if (readiness !== "ready")
      return { status: 503, body: { error: "the agents' directory gives no answer" } };
    return options.accounts.has(target)
      ? make(target)
      : { status: 404, body: { error: "nobody may sign in with this DN" } };
  };
  return audited(options, request, reply, { name, target, run });
}
