import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "../../core/index.ts";
import { rawQuery } from "../protocol/query.ts";
import type { Desk } from "./desk.ts";
import {
  actions,
  says,
  type Action,
  type OtherVariant,
  type WrtcAnswer,
  type WrtcRequest,
} from "./exchange.ts";
import { allowOrigin, answerPreflight, pageOriginOf, type OriginOptions } from "./origin.ts";
import { carryPoll, Endings } from "./poll-carrier.ts";

export interface RouteOptions extends OriginOptions {
  /** Prefixes, `/wrtc`; empty: none. */
  readonly paths: readonly string[];
  readonly desk: Desk;
  readonly variants: readonly OtherVariant[];
  /** A page of this origin was refused; nothing of it has been judged. */
  readonly onForeign: (page: {
    readonly origin: string;
    readonly host: string;
    readonly address: string;
  }) => void;
  readonly log: Logger;
}

/** SDP with video, candidates and attached data has tens of kB. */
const bodyLimit = 256 * 1024;

/** Adds what grtc.js asks for below each of the paths. Before `listen`. */
export function registerWrtcRoutes(app: FastifyInstance, options: RouteOptions): void {
  const { log } = options;
  const endings = new Endings();
  void app.register((scope, _none, done) => {
    // Raw text, whatever the type says: it says form, and is none (wrtc-http-protocol.md 5).
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "string", bodyLimit }, (_request, body, parsed) =>
      parsed(null, body),
    );
    scope.addHook("onRequest", async (request, reply) => {
      // One that cannot be read as a type would be refused before any parser is asked.
      if (request.method === "POST") request.raw.headers["content-type"] = "text/plain";
      const page = pageOriginOf(request, options);
      allowOrigin(reply, page);
      if (page !== "refused") return;
      const { origin = "not told" } = request.headers;
      options.onForeign({ origin, host: request.host, address: request.ip });
      await reply.status(403).type(plain).send("neither this origin nor this host is in wrtc.origins\n");
    });
    scope.setErrorHandler((error: { readonly statusCode?: number }, _request, reply) => {
      const status = error.statusCode ?? 500;
      if (status >= 500) log.error({ err: error }, "request could not be handled");
      write(reply, says(status, status === 413 ? "too large" : "this could not be handled"));
    });
    for (const action of actions)
      for (const url of new Set(options.paths.flatMap((path) => spellings(`${path}/${action}`)))) {
        const handler = (request: FastifyRequest, reply: FastifyReply): void => {
          handle(options, endings, request, reply, action).catch((error: unknown) => void reply.send(error));
        };
        scope.route({ method: ["GET", "POST"], url, bodyLimit, exposeHeadRoute: false, handler });
        scope.options(url, (request, reply) => answerPreflight(request, reply));
      }
    done();
  });
}

async function handle(
  options: RouteOptions,
  endings: Endings,
  request: FastifyRequest,
  reply: FastifyReply,
  action: Action,
): Promise<void> {
  const { desk, variants } = options;
  const asked = readRequest(options, request, reply, action);
  for (const variant of variants) {
    const answer = variant.answer(asked);
    if (answer) return write(reply, await answer);
  }
  if (action !== "wait" || asked.method !== "GET") return write(reply, await desk.answer(asked));
  const carried = carryPoll(request, reply, endings);
  const waiting = await desk.wait(asked, () => carried.line);
  if ("answer" in waiting) return write(reply, waiting.answer);
  carried.listen(waiting.parked);
}

function readRequest(
  options: RouteOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  action: Action,
): WrtcRequest {
  const page = pageOriginOf(request, options);
  const { remotePort } = request.raw.socket;
  let gone = false;
  reply.raw.once("close", () => (gone = true));
  return {
    method: request.method,
    action,
    query: rawQuery(request.raw.url ?? ""),
    body: typeof request.body === "string" ? request.body : "",
    origin: typeof page === "string" ? undefined : page.origin,
    address: request.ip,
    ...(remotePort === undefined ? {} : { port: remotePort }),
    userAgent: (request.headers["user-agent"] ?? "").slice(0, longestUserAgent),
    isGone: () => gone,
  };
}

const plain = "text/plain; charset=utf-8";
const longestUserAgent = 256;

function write(reply: FastifyReply, { status, body, json, headers, lost }: WrtcAnswer): void {
  if (lost) {
    let flushed = false;
    reply.raw.once("finish", () => (flushed = true));
    reply.raw.once("close", () => flushed || lost());
  }
  void reply
    .status(status)
    .type(json ? "application/json; charset=utf-8" : plain)
    .headers({ ...headers })
    .send(body);
}

/** The path with each of its slashes once or twice: grtc.js makes `//sign_in` of an address that ends in a slash. */
function spellings(path: string): string[] {
  const [, ...segments] = path.split("/");
  return segments.reduce<string[]>(
    (before, segment) => before.flatMap((start) => [`${start}/${segment}`, `${start}//${segment}`]),
    [""],
  );
}
