import type { Clock } from "../core/index.ts";
import type { Flow } from "../sip/index.ts";

/** A SIP Server to call by; `host` (with port) goes into request URIs. */
export interface TrunkServer {
  readonly flow: Flow;
  readonly host: string;
}

/** What this asks of the pool of SIP Servers. */
export interface ServersDoor {
  readonly current: Flow | undefined;
  list(): readonly { readonly flow: Flow; readonly up: boolean }[];
}

/** Longest Retry-After that is followed, ms: a server that names a day is asked again all the same. */
const longestAvoidMs = 60_000;

/**
 * Which SIP Server the next call goes to: the one in use, then the others by preference. One that answered an INVITE
 * by 503 with Retry-After comes last for that time. It is not taken out of the pool for it: that 503 may be a trunk's
 * behind it, and would move every registration.
 */
export class OutboundServers {
  readonly #pool: ServersDoor;
  readonly #clock: Clock;
  /** By flow: `clock.now()` until which others are asked first; no more entries than servers. */
  readonly #avoidUntil = new Map<string, number>();

  constructor(pool: ServersDoor, clock: Clock) {
    this.#pool = pool;
    this.#clock = clock;
  }

  /** The best server that is up and not among `excluded`; undefined when there is none. */
  next(excluded: readonly Flow[] = []): TrunkServer | undefined {
    const { current } = this.#pool;
    const up = this.#pool.list().flatMap((server) => (server.up ? [server.flow] : []));
    const out = new Set(excluded.map(({ id }) => id));
    const left = [...(current ? [current] : []), ...up].filter(({ id }) => !out.has(id));
    const flow = left.find(({ id }) => !this.#avoided(id)) ?? left[0];
    return flow && { flow, host: `${flow.remoteAddress}:${flow.remotePort}` };
  }

  /** It asked not to be called for `ms`. */
  avoid({ id }: Flow, ms: number): void {
    if (!this.#pool.list().some(({ flow }) => flow.id === id)) return;
    this.#avoidUntil.set(id, this.#clock.now() + Math.min(ms, longestAvoidMs));
  }

  #avoided(id: string): boolean {
    const until = this.#avoidUntil.get(id);
    if (until === undefined) return false;
    if (until > this.#clock.now()) return true;
    this.#avoidUntil.delete(id);
    return false;
  }
}
