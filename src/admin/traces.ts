import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Clock, Logger } from "../core/index.ts";
import {
  summaryJson,
  traceJson,
  traceText,
  type Trace,
  type TraceFilter,
  type TraceSummary,
} from "../trace/index.ts";
import type { Login } from "./login.ts";
import { ReadLog } from "./read-log.ts";

/** What the API asks of the traces; the store is one. */
export interface TracesDoor {
  list(filter: TraceFilter): readonly TraceSummary[];
  find(id: string): Trace | undefined;
}

export interface TraceRoutesOptions {
  /** Undefined: traces are off. */
  readonly traces: TracesDoor | undefined;
  readonly login: Login;
  readonly clock: Clock;
  readonly log: Logger;
}

type ById = { Params: { id: string }; Querystring: Record<string, unknown> };
type ByFilter = { Querystring: Record<string, unknown> };

/** Traces told by one request for the list. */
const maximumListed = 1000;
const off = { error: "traces are off: set trace.calls" };
const filterKeys = ["dn", "number", "callId", "callUuid"] as const;

/** `GET /api/traces` and `GET /api/calls/{id}/trace`, for role read. */
export function registerTraceRoutes(app: FastifyInstance, options: TraceRoutesOptions): void {
  const { traces, login, clock, log } = options;
  const reads = new ReadLog(clock, log);
  const onRequest = login.check;
  app.get<ByFilter>("/api/traces", { onRequest }, (request, reply) => {
    if (!traces) return reply.status(404).send(off);
    const filter = readFilter(request.query);
    if ("fault" in filter) return reply.status(400).send({ error: filter.fault });
    return reply.send({ traces: traces.list(filter).slice(0, maximumListed).map(summaryJson) });
  });
  app.get<ById>("/api/calls/:id/trace", { onRequest }, (request, reply) => {
    if (!traces) return reply.status(404).send(off);
    const trace = traces.find(request.params.id);
    if (!trace) return reply.status(404).send({ error: "no such trace is kept: GET /api/traces lists them" });
    const { who } = login.identity(request);
    reads.note({ who, address: request.ip, call: trace.id, dn: trace.facts.dn });
    void reply.header("cache-control", "no-store");
    if (!wantsText(request)) return reply.send(traceJson(trace));
    return reply.type("text/plain; charset=utf-8").send(traceText(trace));
  });
}

function readFilter(query: Readonly<Record<string, unknown>>): TraceFilter | { readonly fault: string } {
  const filter: Partial<Record<(typeof filterKeys)[number], string>> = {};
  for (const [name, value] of Object.entries(query)) {
    const key = filterKeys.find((one) => one === name);
    if (key === undefined)
      return { fault: `${name.slice(0, 40)} is no known key: write ${filterKeys.join(", ")}` };
    if (typeof value !== "string") return { fault: `${name} stands twice` };
    filter[key] = value;
  }
  return filter;
}

function wantsText(request: FastifyRequest<ById>): boolean {
  const { format } = request.query;
  if (format === "text" || format === "json") return format === "text";
  return /^\s*text\/plain\b/i.test(request.headers.accept ?? "");
}
