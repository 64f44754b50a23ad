import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { pathOf } from "../wwe/path.ts";
import { answerStatus } from "./agent-status.ts";
import { enrol, issuePageToken } from "./bridge-requests.ts";
import type { EndpointDesk } from "./desk.ts";
import { letIn } from "./let-in.ts";
import { answerPage, openPage } from "./page-requests.ts";
import { answerWwe } from "./wwe-requests.ts";

const bodyLimit = 16_384;

/** Everything below `/endpoint/`. Before `listen`. */
export function registerEndpointRoutes(app: FastifyInstance, desk: EndpointDesk): void {
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("application/json", { parseAs: "string" }, (_request, text, parsed) => {
      try {
        parsed(null, text === "" ? undefined : JSON.parse(String(text)));
      } catch {
        parsed(Object.assign(new Error("the body is not JSON"), { statusCode: 400 }));
      }
    });
    // Unlike the gateway's own, this one does not log the path: there is a token in it.
    scope.setErrorHandler((error: FastifyError, _request, reply) => {
      const { statusCode: status = 500 } = error;
      if (status < 500) return reply.status(status).send({ error: error.message });
      desk.options.log.error({ err: error }, "endpoint: request handler failed");
      return reply.status(500).send({ error: "internal error" });
    });
    // Neither this nor the handler is a promise where nothing is waited for: pings come by the hundred a second.
    scope.addHook("onRequest", (request, reply, next) => {
      const path = pathOf(request.url);
      if (!path) nothingHere(reply);
      else if (!letIn(desk, path, request, reply)) next();
    });
    scope.route({
      method: ["GET", "POST", "OPTIONS"],
      url: "/endpoint/*",
      exposeHeadRoute: false,
      bodyLimit,
      handler: (request, reply) => answer(desk, request, reply),
    });
    done();
  });
}

function answer(
  desk: EndpointDesk,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply | Promise<FastifyReply> {
  const path = pathOf(request.url);
  if (!path) return nothingHere(reply);
  const { secret, name } = path;
  if (request.method === "POST") {
    if (secret === "page" && name === "") return openPage(desk, request, reply);
    if (secret === "enrol" && name === "") return enrol(desk, request, reply);
    if (name === "page-token") return issuePageToken(desk, secret, request, reply);
  }
  if (request.method === "GET" && name === "status") return answerStatus(desk, secret, request, reply);
  return answerPage(desk, path, request, reply) ?? answerWwe(desk, path, request, reply);
}

function nothingHere(reply: FastifyReply): FastifyReply {
  return reply.status(404).send({ error: "there is nothing at this path" });
}
