import type { FastifyReply, FastifyRequest } from "fastify";
import type { Access } from "../access.ts";
import type { AuditLog } from "../status/audit-log.ts";

/** How an act went: the answer, and what the audit log says of it (`done`, unless it has an `error`). */
export interface ActResult {
  readonly status: number;
  readonly body: { readonly error?: string } & Readonly<Record<string, unknown>>;
}

export interface Act {
  /** In a word or two: `hang up`, `sign out`. */
  readonly name: string;
  /** What it is done to; null: to the gateway. */
  readonly target: string | null;
  readonly run: () => ActResult;
}

/** No target of ours is longer; what somebody made up must not fill the log, characters. */
const longestTarget = 100;

/** Does what was asked for, writes it down and answers. */
export function audited(
  { access, audits }: { readonly access: Access; readonly audits: AuditLog },
  request: FastifyRequest,
  reply: FastifyReply,
  act: Act,
): FastifyReply {
  const { status, body } = act.run();
  const { who, role } = access.identity(request);
  const target = act.target === null ? null : act.target.slice(0, longestTarget);
  audits.note({ who, role, address: request.ip, act: act.name, target, outcome: body.error ?? "done" });
  return reply.status(status).send(body);
}
