import type { FastifyRequest } from "fastify";
import { isOwnOrigin } from "../core/index.ts";

/** Whether a request comes from a page of ours (`isOwnOrigin`): `none` where no browser says so. */
export function originOf(request: FastifyRequest, secure: boolean): "ours" | "foreign" | "none" {
  const { origin } = request.headers;
  if (origin === undefined) return "none";
  return isOwnOrigin(origin, request.host, secure) ? "ours" : "foreign";
}
