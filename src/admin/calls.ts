import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { CallCaptureOptions, CallSummary } from "../b2bua/index.ts";
import type { Clock, Logger } from "../core/index.ts";
import { CaptureRefusedError, type RunningCapture } from "../media/index.ts";
import { readCaptureOrder } from "./capture-order.ts";
import { Login } from "./login.ts";
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
  /** `admin.token`; without one there are no such routes. */
  readonly token: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

type ById = { Params: { id: string } };

/** A body beyond this is no order for a capture, bytes. */
const bodyLimit = 4096;
const noCall = { error: "there is no such call: GET /api/calls lists those that run" };

/** Also those of traces: `GET /api/calls`, `POST` and `DELETE /api/calls/{id}/capture`, behind the admin token. */
export function registerCallRoutes(app: FastifyInstance, options: CallRoutesOptions): void {
  const { calls, token, log } = options;
  if (token === undefined) return;
  const login = new Login({ ...options, token });
  const onRequest = (request: FastifyRequest, reply: FastifyReply) => login.check(request, reply);
  registerTraceRoutes(app, { traces: options.traces, onRequest, log });
  app.get("/api/calls", { onRequest }, () => ({ calls: calls.calls().map(shown) }));
  app.post<ById>("/api/calls/:id/capture", { onRequest, bodyLimit }, (request, reply) =>
    start(calls, log, request, reply),
  );
  app.delete<ById>("/api/calls/:id/capture", { onRequest }, (request, reply) =>
    stop(calls, log, request, reply),
  );
}

function shown({ id, dn, direction, farNumber, since, state, captureFile }: CallSummary) {
  return { id, dn, direction, far_number: farNumber, since, state, capture: captureFile ?? null };
}

async function start(
  calls: CallsDoor,
  log: Logger,
  request: FastifyRequest<ById>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  // A form of another page's can send text/plain, and fastify would read that too.
  if (!/^application\/json\s*(;|$)/i.test(request.headers["content-type"] ?? ""))
    return reply.status(415).send({ error: "send Content-Type: application/json" });
  const asked = readCaptureOrder(request.body);
  if ("fault" in asked) return reply.status(400).send({ error: asked.fault });
  const { id } = request.params;
  try {
    const capture = await calls.captureCall(id, asked.options);
    if (!capture) return reply.status(404).send(noCall);
    const { durationMs, bytes, payload } = asked.options;
    const seconds = durationMs / 1000;
    const dn = calls.calls().find((call) => call.id === id)?.dn;
    const audit = { address: request.ip, call: id, dn, file: capture.file };
    log.info({ ...audit, seconds, bytes, payload }, "capture started");
    void capture.ended.then((result) => log.info({ call: id, dn, ...result }, "capture ended"));
    return reply.status(202).send({ file: capture.file, seconds, bytes, payload });
  } catch (error) {
    if (!(error instanceof CaptureRefusedError)) throw error;
    log.info({ address: request.ip, call: id, reason: error.message }, "capture refused");
    return reply.status(error.refusal === "file" ? 500 : 409).send({ error: words(error) });
  }
}

function words({ refusal, message }: CaptureRefusedError): string {
  return refusal === "off" ? `${message}; write one into the configuration and start again` : message;
}

async function stop(
  calls: CallsDoor,
  log: Logger,
  request: FastifyRequest<ById>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { id } = request.params;
  const capture = calls.captureOf(id);
  if (!capture) {
    const running = calls.calls().some((call) => call.id === id);
    return reply.status(404).send(running ? { error: "no capture of this call runs" } : noCall);
  }
  log.info({ address: request.ip, call: id, file: capture.file }, "capture stopped by hand");
  capture.stop();
  const { file, packets, leftOut, bytes, reason } = await capture.ended;
  return reply.send({ file, packets, left_out: leftOut, bytes, reason });
}
