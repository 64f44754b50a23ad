import type { FastifyReply, FastifyRequest } from "fastify";
import type { EndpointDesk } from "./desk.ts";
import { originOf } from "./origins.ts";
import type { EndpointPath } from "../wwe/path.ts";

/** What pages of WWE's may not ask for: it belongs to the page and the bridge. */
const ownNames: ReadonlySet<string> = new Set(["events", "result", "state", "page-token", "status"]);
const ownPlaces: ReadonlySet<string> = new Set(["page", "enrol"]);
const preflightSeconds = 7200;
/** Names of headers, as a preflight lists them. */
const headerList = /^[\w!#$%&'*+.^`|~ ,-]{1,500}$/;

/**
 * Host, Origin and content type, before a body is read (docs/endpoint.md). Undefined: let in, and with the CORS headers on the
 * reply where WWE's page is to read it. Other sites' pages send Origin with each POST and
 * with all they could read; what they ask without it, as by an image, would have to know a token.
 */
export function letIn(
  desk: EndpointDesk,
  path: EndpointPath,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply | undefined {
  const { terms, secure } = desk.options;
  if (!desk.expects(request.host))
    return desk.refuse(
      request,
      reply,
      "host",
      403,
      "this host is in neither endpoint.hosts nor the certificate",
    );
  const from = request.headers.origin;
  const origin = originOf(from, request.host, secure, terms().origins);
  const isOwn = ownNames.has(path.name) || ownPlaces.has(path.secret);
  if (origin === "foreign")
    return desk.refuse(request, reply, "origin", 403, "this origin is not in endpoint.origins");
  if (isOwn && origin === "allowed" && !isSameOrigin(from, request.host))
    return desk.refuse(request, reply, "origin", 403, "this is for pages of the gateway's own origin");
  if (origin === "allowed" && from !== undefined)
    reply.header("access-control-allow-origin", from).header("vary", "Origin");
  if (request.method === "OPTIONS") return preflight(request, reply);
  if (request.method === "POST" && !isJson(request))
    return desk.refuse(request, reply, "type", 415, "send Content-Type: application/json");
  return undefined;
}

/** An origin of the list that is the gateway's own too. */
function isSameOrigin(origin: string | undefined, host: string): boolean {
  return originOf(origin, host, false, []) === "ours";
}

function preflight({ headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.header("access-control-allow-methods", "GET, POST, OPTIONS");
  const asked = headers["access-control-request-headers"];
  const listed = asked !== undefined && headerList.test(asked);
  reply.header("access-control-allow-headers", listed ? asked : "Content-Type, X-Requested-With");
  if (headers["access-control-request-private-network"] === "true")
    reply.header("access-control-allow-private-network", "true");
  return reply.header("access-control-max-age", preflightSeconds).status(200).send("");
}

/** Forms of other sites can send text/plain. */
function isJson({ headers }: FastifyRequest): boolean {
  return /^application\/json\s*(;|$)/i.test(headers["content-type"] ?? "");
}
