import type {
  Agent,
  AuditEntry,
  Call,
  Change,
  ChangedList,
  Failure,
  Gateway,
  Sample,
  SipServer,
  Snapshot,
  Worker,
} from "../api/contract.ts";

/** What is known of the gateway now. Never changed in place: what is the same object shows the same. */
export interface Live {
  /** The gateway's clock at the last news, ms since 1970. */
  readonly at: number;
  readonly gateway: Gateway | undefined;
  readonly agents: ReadonlyMap<string, Agent>;
  readonly calls: ReadonlyMap<string, Call>;
  readonly servers: readonly SipServer[];
  readonly workers: readonly Worker[];
  /** Newest first. */
  readonly failures: readonly Failure[];
  readonly audit: readonly AuditEntry[];
  /** Oldest first. */
  readonly samples: readonly Sample[];
}

/** As many as the gateway keeps. */
const newsKept = 200;
const samplesKept = 6 * 360;

export const nothingYet: Live = {
  at: 0,
  gateway: undefined,
  agents: new Map(),
  calls: new Map(),
  servers: [],
  workers: [],
  failures: [],
  audit: [],
  samples: [],
};

export function applySnapshot(live: Live, snapshot: Snapshot): Live {
  return {
    at: Date.parse(snapshot.at),
    gateway: snapshot.gateway,
    agents: byId(snapshot.agents),
    calls: byId(snapshot.calls),
    servers: snapshot.servers,
    workers: snapshot.workers,
    failures: newestFirst([], snapshot.failures),
    audit: newestFirst([], snapshot.audit),
    samples: live.samples,
  };
}

export function applyChange(live: Live, change: Change): Live {
  const { gateway, agents, calls, servers, workers, failures, audit, sample } = change;
  return {
    at: Date.parse(change.at),
    gateway: gateway ?? live.gateway,
    agents: changed(live.agents, agents),
    calls: changed(live.calls, calls),
    servers: servers ?? live.servers,
    workers: workers ?? live.workers,
    failures: failures ? newestFirst(live.failures, failures) : live.failures,
    audit: audit ? newestFirst(live.audit, audit) : live.audit,
    samples: sample ? joined(live.samples, [sample]) : live.samples,
  };
}

/** The kept samples, with those that came while they were asked for, and those from before the gateway's start. */
export function applyHistory(live: Live, samples: readonly Sample[]): Live {
  const first = samples[0]?.at ?? "";
  const before = live.samples.filter(({ at }) => at < first);
  return { ...live, samples: joined([...before, ...samples], live.samples) };
}

function joined(older: readonly Sample[], newer: readonly Sample[]): readonly Sample[] {
  const last = older.at(-1)?.at ?? "";
  return [...older, ...newer.filter(({ at }) => at > last)].slice(-samplesKept);
}

function byId<T extends { readonly id: string }>(list: readonly T[]): ReadonlyMap<string, T> {
  return new Map(list.map((one) => [one.id, one]));
}

function changed<T extends { readonly id: string }>(
  known: ReadonlyMap<string, T>,
  news: ChangedList<T> | undefined,
): ReadonlyMap<string, T> {
  if (!news || (news.changed.length === 0 && news.gone.length === 0)) return known;
  const next = new Map(known);
  for (const id of news.gone) next.delete(id);
  for (const one of news.changed) next.set(one.id, one);
  return next;
}

function newestFirst<T extends { readonly at: string }>(
  known: readonly T[],
  news: readonly T[],
): readonly T[] {
  if (news.length === 0) return known;
  return [...news, ...known].sort((one, other) => other.at.localeCompare(one.at)).slice(0, newsKept);
}
