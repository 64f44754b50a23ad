import type { FastifyInstance } from "fastify";
import { bearerOf, sameSecret, type Login } from "../login.ts";
import { contentType } from "./registry.ts";
import type { Scrapes } from "./scrape.ts";

export interface MetricsRouteOptions {
  readonly scrapes: Pick<Scrapes, "text">;
  /** Undefined: whoever reaches the listener may ask. */
  readonly access: MetricsAccess | undefined;
}

export interface MetricsAccess {
  /** `metrics.token`, as it is now. */
  readonly token: () => string | undefined;
  /** Who else may ask: by the admin token, or signed in at the dashboard. It counts wrong tokens. */
  readonly login: Pick<Login, "check">;
}

/** `GET /metrics`, Prometheus text format 0.0.4. */
export function registerMetricsRoute(app: FastifyInstance, { scrapes, access }: MetricsRouteOptions): void {
  const onRequest: Login["check"] = async (request, reply) => {
    if (!access) return undefined;
    const given = bearerOf(request);
    const token = access.token();
    if (given !== undefined && token !== undefined && sameSecret(given, token)) return undefined;
    return access.login.check(request, reply);
  };
  app.get("/metrics", { onRequest }, async (_request, reply) =>
    reply.header("content-type", contentType).send(await scrapes.text()),
  );
}
