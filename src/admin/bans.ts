import type { FastifyInstance } from "fastify";
import type { Ban, BanFilter, LoginGuard } from "../registrar/index.ts";
import type { Access } from "./access.ts";
import { audited } from "./acts/audited.ts";
import { isJson } from "./login.ts";
import type { AuditLog } from "./status/audit-log.ts";

export interface BanRoutesOptions {
  readonly bans: Pick<LoginGuard, "list" | "forgive">;
  readonly access: Access;
  readonly audits: AuditLog;
}

/** Who is shut out, as the API shows it. */
export interface ShownBan {
  /** Null: a DN is shut out, for all addresses but those it has signed in from. */
  readonly address: string | null;
  /** Null: an address is shut out, for all DNs. */
  readonly dn: string | null;
  readonly failures: number;
  readonly since: string;
  readonly until: string;
}

const bansShown = 1000;
const bodyLimit = 1024;
const longestKey = 64;

type ByKey = { Querystring: { address?: unknown; dn?: unknown } };

/** `GET /api/bans`: who is shut out after wrong passwords; `DELETE /api/bans[?address=...][&dn=...]`: forgives. */
export function registerBanRoutes(app: FastifyInstance, options: BanRoutesOptions): void {
  const { bans, access } = options;
  app.get("/api/bans", { onRequest: access.check }, () => {
    const list = bans.list();
    return { total: list.length, bans: list.slice(0, bansShown).map(shown) };
  });
  app.delete<ByKey>("/api/bans", { onRequest: access.operate, bodyLimit }, (request, reply) => {
    if (!isJson(request)) return reply.status(415).send({ error: "send Content-Type: application/json" });
    const filter = filterOf(request.query);
    const target = filter === undefined ? null : [filter.address, filter.dn].filter(Boolean).join(" ");
    return audited(options, request, reply, {
      name: "lift bans",
      target: target === "" ? null : target,
      run: () =>
        filter === undefined
          ? { status: 400, body: { error: "only address and dn say which bans; neither: all" } }
          : { status: 200, body: { lifted: bans.forgive(filter) } },
    });
  });
}

/** Undefined for a query that was meant to say something else: it must not lift all. */
function filterOf(query: Readonly<Record<string, unknown>>): BanFilter | undefined {
  const filter: { address?: string; dn?: string } = {};
  for (const [key, value] of Object.entries(query)) {
    if ((key !== "address" && key !== "dn") || typeof value !== "string") return undefined;
    if (value === "" || value.length > longestKey) return undefined;
    filter[key] = value;
  }
  return filter;
}

function shown({ address, dn, failures, since, until }: Ban): ShownBan {
  return {
    address: address ?? null,
    dn: dn ?? null,
    failures,
    since: new Date(since).toISOString(),
    until: new Date(until).toISOString(),
  };
}
