import type { FastifyRequest } from "fastify";

/**
 * Whether a request comes from a page of ours: `none` where no browser says so. Browsers send Origin with all that may
 * change something, and no page can forge it.
 */
export function originOf(request: FastifyRequest, secure: boolean): "ours" | "foreign" | "none" {
  const { origin } = request.headers;
  if (origin === undefined) return "none";
  if (!URL.canParse(origin) || (secure && !origin.startsWith("https://"))) return "foreign";
  const { host, protocol } = new URL(origin);
  const here = `${protocol}//${request.host}`;
  return host !== "" && URL.canParse(here) && new URL(here).host === host ? "ours" : "foreign";
}
