import type { FastifyInstance } from "fastify";
import type { Access } from "../access.ts";
import { sampleSeconds } from "./sampler.ts";
import type { StatusBoard } from "./status-board.ts";

export interface StatusRoutesOptions {
  readonly board: StatusBoard;
  readonly access: Access;
}

/** `GET /api/events` and `GET /api/history`. */
export function registerStatusRoutes(app: FastifyInstance, { board, access }: StatusRoutesOptions): void {
  const onRequest = access.check;
  // No HEAD: nobody would read the stream that is opened for it.
  app.get("/api/events", { onRequest, exposeHeadRoute: false }, (request, reply) => {
    const stream = board.listen(() => access.holds(request));
    if (!stream)
      return reply
        .status(503)
        .header("retry-after", "30")
        .send({ error: "as many dashboards as may be are open: close one, or wait" });
    return reply
      .header("content-type", "text/event-stream; charset=utf-8")
      .header("cache-control", "no-store")
      .header("x-accel-buffering", "no")
      .send(stream);
  });
  app.get("/api/history", { onRequest }, () => ({
    every_seconds: sampleSeconds,
    samples: board.samples,
  }));
}
