import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { CallCaptureOptions, CallSummary } from "../b2bua/index.ts";
import type { Clock, Logger } from "../core/index.ts";
import { CaptureRefusedError, type RunningCapture } from "../media/index.ts";
import { readCaptureOrder } from "./capture-order.ts";
import { isJson, type Login } from "./login.ts";
import type { AuditLog } from "./status/audit-log.ts";
import { showCall } from "./status/show.ts";
import { registerTraceRoutes, type TracesDoor } from "./traces.ts";

/** What the API asks of the calls; the B2BUA is one. */
export interface CallsDoor {
  calls(): readonly CallSummary[];
  captureCall(id: string, options: CallCaptureOptions): Promise<RunningCapture | undefined>;
  captureOf(id: string): RunningCapture | undefined;
}

export interface CallRoutesOptions {
  readonly calls: CallsDoor;
  /** Left out: traces are off. */
  readonly traces?: TracesDoor | undefined;
  /** Without one there are no such routes. */
  readonly login: Login | undefined;
  readonly audits: AuditLog;
  readonly clock: Clock;
  readonly log: Logger;
}

type ServedOptions = CallRoutesOptions & { readonly login: Login };
type ById = { Params: { id: string } };

/** A body beyond this is no order for a capture, bytes. */
const bodyLimit = 4096;
const noCall = { error: "there is no such call: GET /api/calls lists those that run" };

/** Also those of traces: `GET /api/calls`, `GET /api/calls/active`, and for role operate `POST` and `DELETE /api/calls/{id}/capture`. */
export function registerCallRoutes(app: FastifyInstance, options: CallRoutesOptions): void {
  const { calls, login, clock, log } = options;
  if (!login) return;
  const served = { ...options, login };
  registerTraceRoutes(app, { traces: options.traces, login, clock, log });
  // The second is what clients of the simple WRTC variant know it by (wrtc-http-protocol.md 5).
  for (const path of ["/api/calls", "/api/calls/active"])
    app.get(path, { onRequest: login.check }, () => ({ calls: calls.calls().map(showCall) }));
  const onRequest = login.operate;
  app.post<ById>("/api/calls/:id/capture", { onRequest, bodyLimit }, (request, reply) =>
    start(served, request, reply),
  );
  app.delete<ById>("/api/calls/:id/capture", { onRequest, bodyLimit }, (request, reply) =>
    stop(served, request, reply),
  );
}

async function start(
  { calls, log, login, audits }: ServedOptions,
  request: FastifyRequest<ById>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (!isJson(request)) return reply.status(415).send({ error: "send Content-Type: application/json" });
  const asked = readCaptureOrder(request.body);
  if ("fault" in asked) return reply.status(400).send({ error: asked.fault });
  const { id } = request.params;
  const identity = login.identity(request);
  const audit = (outcome: string): void =>
    audits.note({
      ...identity,
      address: request.ip,
      act: "start capture",
      target: id.slice(0, 100),
      outcome,
    });
  try {
    const capture = await calls.captureCall(id, asked.options);
    if (!capture) {
      audit(noCall.error);
      return reply.status(404).send(noCall);
    }
    audit("done");
    const { durationMs, bytes, payload } = asked.options;
    const seconds = durationMs / 1000;
    const dn = calls.calls().find((call) => call.id === id)?.dn;
    const told = { who: identity.who, address: request.ip, call: id, dn, file: capture.file };
    log.info({ ...told, seconds, bytes, payload }, "capture started");
    void capture.ended.then((result) => log.info({ call: id, dn, ...result }, "capture ended"));
    return reply.status(202).send({ file: capture.file, seconds, bytes, payload });
  } catch (error) {
    if (!(error instanceof CaptureRefusedError)) throw error;
    audit(error.message);
    return reply.status(error.refusal === "file" ? 500 : 409).send({ error: words(error) });
  }
}

function words({ refusal, message }: CaptureRefusedError): string {
  return refusal === "off" ? `${message}; write one into the configuration and start again` : message;
}

async function stop(
  { calls, login, audits }: ServedOptions,
  request: FastifyRequest<ById>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { id } = request.params;
  const capture = calls.captureOf(id);
  if (!capture) {
    const running = calls.calls().some((call) => call.id === id);
    return reply.status(404).send(running ? { error: "no capture of this call runs" } : noCall);
  }
  const identity = login.identity(request);
  audits.note({ ...identity, address: request.ip, act: "stop capture", target: id, outcome: "done" });
  capture.stop();
  const { file, packets, leftOut, bytes, reason } = await capture.ended;
  return reply.send({ file, packets, left_out: leftOut, bytes, reason });
}
