import { endedByOperator, type CallRecord } from "../../b2bua/index.ts";
import type { TrunkStatus } from "../../registrar/index.ts";
import type { FailureLog, FailureNews } from "./failure-log.ts";
import { addressOf } from "./show.ts";
import type { FailureSources } from "./sources.ts";

/** Statuses by which people end a call: hung up, busy, given up, declined. */
const ordinary: readonly number[] = [200, 486, 487, 600, 603];

/** What is wrong with a call that is over; undefined when it ended as calls do. */
function failureOfCall(record: CallRecord): FailureNews | undefined {
  const { status, reason, endedBy } = record;
  if (reason === endedByOperator) return undefined;
  const refused = status === 480 && endedBy !== "jackfield" && record.answeredAt === undefined;
  if (status === 200 || (endedBy !== "jackfield" && (ordinary.includes(status) || refused))) return undefined;
  return { kind: "call", dn: record.dn, far_number: record.farNumber, call: record.id, status, reason };
}

/** What is wrong with a DN's registration at SIP Server; undefined when nothing is, or nothing is known yet. */
function failureOfRegistration(dn: string, { state, reason }: TrunkStatus): FailureNews | undefined {
  const status = /^\d{3}\b/.exec(reason)?.[0];
  const news = {
    kind: "registration",
    dn,
    ...(status === undefined ? {} : { status: Number(status) }),
  } as const;
  if (state === "rejected") return { ...news, reason: `SIP Server refuses the DN: ${reason}` };
  if (state === "backing-off") return { ...news, reason: `DN not registered, tried again: ${reason}` };
  return undefined;
}

/** Writes what goes wrong in the rooms into `failures`; the returned function stops that. */
export function watchFailures(sources: FailureSources, failures: FailureLog): () => void {
  const { calls, trunk, registrar, media, http, login } = sources;
  const note = (news: FailureNews | undefined, like?: string): void => {
    if (news) failures.note(news, like);
  };
  const stops = [
    calls.events.on("ended", (record) => {
      const news = failureOfCall(record);
      if (news && record.answeredAt === undefined) failures.setUps++;
      note(news);
    }),
    trunk.events.on("status", (dn, status) => note(failureOfRegistration(dn, status))),
    trunk.events.on("stolen", (dn, contact) =>
      note({ kind: "registration", dn, reason: `another phone has taken the DN over: ${contact}` }, "stolen"),
    ),
    trunk.pool.events.on("down", (server, reason) =>
      note({ kind: "registration", reason: `SIP Server ${addressOf(server)} is down: ${reason}` }),
    ),
    trunk.pool.events.on("up", (server) =>
      note({ kind: "registration", reason: `SIP Server ${addressOf(server)} answers again` }),
    ),
    registrar.events.on("login-refused", (dn, address, cause) =>
      note({ kind: "login", dn, status: 403, reason: loginWords(address, cause) }, cause),
    ),
    media.events.on("worker-failed", (index, reason) =>
      note({ kind: "media", reason: `media worker ${index} failed, its calls ended: ${reason}` }),
    ),
    login.events.on("refused", (address, status, cause) =>
      note({ kind: "login", status, reason: `dashboard or admin API: ${address} refused, ${cause}` }, cause),
    ),
    http.events.on("certificate-fault", (reason) =>
      note({ kind: "certificate", reason: `new certificate not used, the old one stays: ${reason}` }),
    ),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function loginWords(address: string, cause: "password" | "blocked"): string {
  if (cause === "password") return `sign-in from ${address} refused: wrong password, or no such DN`;
  return `sign-in from ${address} refused: too many wrong passwords before`;
}
