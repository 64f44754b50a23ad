import { isIP } from "node:net";
import type { FastifyReply, FastifyRequest } from "fastify";
import { isOwnOrigin } from "../../core/index.ts";

export interface OriginOptions {
  /** Pages of other origins that may ask; a reload may change them. */
  readonly origins: () => readonly string[];
  /** Browsers reach us by TLS without a proxy in between. */
  readonly secure: boolean;
  /** Sign-ins without a password are taken. */
  readonly passwordless: () => boolean;
}

/** Page of another origin; `own`: the gateway's, or no browser's; `refused`: one that may not ask. */
export type PageOrigin = { readonly origin: string } | "own" | "refused";

/**
 * Whose page asks. Same-origin GETs carry no Origin, and same-origin POSTs do (wrtc-http-protocol.md 1): both are the
 * gateway's own.
 */
export function pageOriginOf(request: FastifyRequest, options: OriginOptions): PageOrigin {
  const { origin } = request.headers;
  const own = origin === undefined || isOwnOrigin(origin, request.host, options.secure);
  if (!own) return options.origins().includes(origin) ? { origin } : "refused";
  // An image or a script of another site's page asks without Origin too, and browsers say so.
  const ofOthers = origin === undefined && isOfOthers(request.headers["sec-fetch-site"]);
  return ofOthers || mayBeRebound(request.host, options) ? "refused" : "own";
}

/**
 * A page of any site may have its own name lead here (DNS rebinding), and passes for the gateway's own then. TLS tells, and so does a
 * password, which such a page does not have; else the host must be one that no stranger can have.
 */
function mayBeRebound(host: string, { secure, passwordless, origins }: OriginOptions): boolean {
  if (secure || !passwordless()) return false;
  const name = hostNameOf(`http://${host}`);
  if (name === undefined) return true;
  if (name === "localhost" || isIP(name.replaceAll(/[[\]]/g, "")) !== 0) return false;
  return !origins().some((origin) => hostNameOf(origin) === name);
}

function hostNameOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

function isOfOthers(fetchSite: unknown): boolean {
  return fetchSite === "cross-site" || fetchSite === "same-site";
}

/** The headers without which a page of another origin cannot read an answer, errors included (section 4). */
export function allowOrigin(reply: FastifyReply, page: PageOrigin): void {
  reply.header("vary", "Origin");
  if (typeof page === "string") return;
  reply.header("access-control-allow-origin", page.origin);
  reply.header("access-control-allow-credentials", "true");
  reply.header("cross-origin-resource-policy", "cross-origin");
}

/** Longest list of header names that a preflight gets back, characters. */
const longestEcho = 500;

/** `OPTIONS`: no request of the protocol needs it; pages that add a header do. */
export function answerPreflight(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { headers } = request;
  reply.header("access-control-allow-methods", "GET, POST");
  reply.header("access-control-max-age", "600");
  const wanted = headers["access-control-request-headers"];
  if (wanted !== undefined && /^[\w-]+(?:, ?[\w-]+)*$/.test(wanted) && wanted.length <= longestEcho)
    reply.header("access-control-allow-headers", wanted);
  if (headers["access-control-request-private-network"] === "true")
    reply.header("access-control-allow-private-network", "true");
  return reply.status(204).send();
}
