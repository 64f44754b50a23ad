import type { FastifyReply, FastifyRequest } from "fastify";
import type { PageAnswer } from "../contract.ts";
import type { PageHolder } from "../tokens/endpoint-tokens.ts";
import { fieldOf } from "../wwe/fields.ts";
import type { EndpointPath } from "../wwe/path.ts";
import type { EndpointDesk } from "./desk.ts";
import { readResult, readState } from "./page-state.ts";
import { refuseSecret } from "./refuse-secret.ts";

/** `POST /endpoint/page`: a token for a page session. */
export function openPage(desk: EndpointDesk, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const token = fieldOf(request.body, "token");
  if (typeof token !== "string") return reply.status(400).send({ error: 'write {"token": "..."}' });
  const { tokens, guard, log } = desk.options;
  const opened = tokens.openPage(token);
  if ("refusal" in opened) return refuseSecret(desk, request, reply, "token", opened.refusal);
  const { session, dn, expiresAt } = opened;
  guard.succeeded(request.ip, dn);
  log.info({ dn, address: request.ip }, "endpoint: a page is let in");
  const answer: PageAnswer = { session, dn, expires_at: new Date(expiresAt).toISOString() };
  return reply.send(answer);
}

/** `/endpoint/{page session}/events`, `/result` and `/state`, let in; undefined: the name is another. */
export function answerPage(
  desk: EndpointDesk,
  { secret, name }: EndpointPath,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply | undefined {
  const act = acts.get(`${request.method} ${name}`);
  if (!act) return undefined;
  const { tokens, sessions } = desk.options;
  // A page that stays connected over the end of its session, in a call, is still to be heard.
  const page = tokens.page(
    secret,
    (one) => request.method === "POST" && sessions.find(one.dn)?.page.carries(one) === true,
  );
  if (!page) return desk.refuse(request, reply, "token", 401, "this page session is not known or over");
  if (sessions.find(page.dn)?.page.admits(page) === false)
    return desk.refuse(request, reply, "token", 401, "a newer page has taken over", "replaced");
  return act(desk, page, request, reply);
}

type PageAct = (
  desk: EndpointDesk,
  page: PageHolder,
  request: FastifyRequest,
  reply: FastifyReply,
) => FastifyReply;

const acts: ReadonlyMap<string, PageAct> = new Map([
  ["GET events", openEvents],
  ["POST result", takeResult],
  ["POST state", takeState],
]);

function openEvents(
  { options: { sessions } }: EndpointDesk,
  page: PageHolder,
  _request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const stream = sessions.of(page.dn).openPage(page);
  return reply.type("text/event-stream; charset=utf-8").header("x-accel-buffering", "no").send(stream);
}

function takeResult(
  { options: { sessions } }: EndpointDesk,
  { dn }: PageHolder,
  { body }: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const result = readResult(body);
  if (!result) return reply.status(400).send({ error: 'write {"id": 1, "ok": true}' });
  sessions.find(dn)?.page.receiveResult(result.id, result);
  return reply.status(204).send();
}

function takeState(
  { options: { sessions } }: EndpointDesk,
  { dn }: PageHolder,
  { body }: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const state = readState(body);
  if (!state) return reply.status(400).send({ error: "write the state as docs/endpoint.md has it" });
  sessions.find(dn)?.page.receiveState(state);
  return reply.status(204).send();
}
