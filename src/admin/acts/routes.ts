import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { LogLevels } from "../../core/index.ts";
import type { CertificateInfo } from "../../ws/index.ts";
import type { Access } from "../access.ts";
import { isJson } from "../login.ts";
import type { AuditLog } from "../status/audit-log.ts";
import type { DrainStatus } from "../status/contract.ts";
import { showCertificate } from "../status/show.ts";
import { audited, type Act, type ActResult } from "./audited.ts";
import { logLevelAct } from "./log-level.ts";

/** What an administrator may do, as the gateway does it. */
export interface ActsDoor {
  /** Ends both sides of a running call; false: there is none. */
  hangUp(call: string): boolean;
  /** Signs a DN's clients out; how many there were. Their running calls go on. */
  signOut(dn: string): number;
  readonly drain: DrainDoor;
  /** Reads the configuration again, and puts it in force or changes nothing. */
  reload(by: string): ReloadAnswer;
  /** Undefined where they cannot be changed. */
  readonly logLevels: LogLevels | undefined;
  /** Reads the certificate's files again: what is presented now, or why the new one is not used. */
  reloadCertificate(): { readonly info: CertificateInfo } | { readonly fault: string };
}

/** What came of a reload: what has changed, or why nothing has, and by which keys. */
export type ReloadAnswer =
  | { readonly changes: readonly { readonly key: string; readonly change: string }[] }
  | {
      readonly refused: string;
      readonly faults: readonly { readonly key: string; readonly reason: string }[];
    };

/** Lets the gateway run empty, as the gateway does it. */
export interface DrainDoor {
  readonly status: DrainStatus;
  /** `exit`: pages move, and the gateway closes when it is empty or after so many seconds. False: it closes already. */
  begin(order: { readonly exit?: { readonly seconds: number } }): boolean;
  /** False: it closes already. */
  cancel(): boolean;
  /** Seconds that `exit` has where none are told. */
  readonly usualSeconds: number;
}

export interface ActRoutesOptions {
  readonly acts: ActsDoor;
  readonly access: Access;
  readonly audits: AuditLog;
  /** ms since 1970-01-01 UTC. */
  readonly wallClock: () => number;
}

type ById = { Params: { id: string } };
type ByDn = { Params: { dn: string } };

/** Bodies of acts are a key or none, bytes. */
const bodyLimit = 1024;

/** What the dashboard does, for role operate: each of them is written into the audit log. */
export function registerActRoutes(app: FastifyInstance, options: ActRoutesOptions): void {
  const { acts, access, wallClock } = options;
  const route = { onRequest: access.operate, bodyLimit };
  const answer = (request: FastifyRequest, reply: FastifyReply, act: Act): FastifyReply =>
    isJson(request)
      ? audited(options, request, reply, act)
      : reply.status(415).send({ error: "send Content-Type: application/json" });

  app.delete<ById>("/api/calls/:id", route, (request, reply) => {
    const { id } = request.params;
    return answer(request, reply, { name: "hang up", target: id, run: () => hangUp(acts, id) });
  });
  app.delete<ByDn>("/api/agents/:dn", route, (request, reply) => {
    const { dn } = request.params;
    return answer(request, reply, { name: "sign out", target: dn, run: () => signOut(acts, dn) });
  });
  app.get("/api/drain", { onRequest: access.check }, () => acts.drain.status);
  app.put("/api/drain", route, (request, reply) => {
    const order = keysOf(request.body);
    const name =
      order["draining"] === false ? "undrain" : order["exit"] === true ? "drain and exit" : "drain";
    return answer(request, reply, { name, target: null, run: () => drain(acts.drain, order) });
  });
  app.put("/api/log-level", route, (request, reply) =>
    answer(request, reply, logLevelAct(acts.logLevels, keysOf(request.body))),
  );
  app.post("/api/reload", route, (request, reply) => {
    const { who } = access.identity(request);
    return answer(request, reply, { name: "reload", target: null, run: () => reload(acts.reload(who)) });
  });
  app.post("/api/certificate/reload", route, (request, reply) =>
    answer(request, reply, {
      name: "reload certificate",
      target: null,
      run: () => reloadCertificate(acts, wallClock()),
    }),
  );
}

function hangUp(acts: ActsDoor, id: string): ActResult {
  if (acts.hangUp(id)) return { status: 202, body: {} };
  return { status: 404, body: { error: "there is no such call: GET /api/calls lists those that run" } };
}

function signOut(acts: ActsDoor, dn: string): ActResult {
  const count = acts.signOut(dn);
  if (count > 0) return { status: 202, body: { signed_out: count } };
  return { status: 404, body: { error: "nobody is signed in with this DN" } };
}

const longestDrainSeconds = 86_400;

function drain(door: DrainDoor, order: Readonly<Record<string, unknown>>): ActResult {
  const { draining, exit = false, seconds = door.usualSeconds } = order;
  const refuse = (error: string): ActResult => ({ status: 400, body: { error } });
  if (typeof draining !== "boolean") return refuse("draining is not true or false");
  if (typeof exit !== "boolean") return refuse("exit is not true or false");
  if (typeof seconds !== "number" || !(seconds >= 0 && seconds <= longestDrainSeconds))
    return refuse(`seconds is not a number from 0 to ${longestDrainSeconds}`);
  const done = draining ? door.begin(exit ? { exit: { seconds } } : {}) : door.cancel();
  if (!done) return { status: 409, body: { error: "the gateway is closing" } };
  return { status: 200, body: { draining, ...door.status } };
}

function reload(answer: ReloadAnswer): ActResult {
  if ("changes" in answer) return { status: 200, body: { changes: answer.changes } };
  return { status: 409, body: { error: answer.refused, faults: answer.faults } };
}

function reloadCertificate(acts: ActsDoor, now: number): ActResult {
  const result = acts.reloadCertificate();
  if ("fault" in result) return { status: 409, body: { error: result.fault } };
  return { status: 200, body: { ...showCertificate(result.info, now) } };
}

function keysOf(body: unknown): Readonly<Record<string, unknown>> {
  return typeof body === "object" && body !== null ? Object.fromEntries(Object.entries(body)) : {};
}
