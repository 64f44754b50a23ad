import type { Clock } from "../../core/index.ts";
import type { Flow } from "../../sip/index.ts";

/** A SIP Server to call by; `host` (with port) goes into request URIs. */
export interface TrunkServer {
  readonly flow: Flow;
  readonly host: string;
}

/** What this asks of the trunk registrations. */
export interface ServersDoor {
  /** The server at which the DN is in service, else the one in use. */
  serverFor(dn: string): Flow | undefined;
  /** All servers in order of preference. */
  readonly pool: { list(): readonly { readonly flow: Flow; readonly up: boolean }[] };
}

/** Longest Retry-After that is followed, ms: a server that names a day is asked again all the same. */
const longestAvoidMs = 60_000;

/**
 * Which SIP Server the next call goes to: the DN's own, then the others by preference. One that answered an INVITE
 * by 503 with Retry-After comes last for that time. It is not taken out of the pool for it: that 503 may be a trunk's
 * behind it, and would move every registration.
 */
export class OutboundServers {
  readonly #door: ServersDoor;
  readonly #clock: Clock;
  /** By flow: `clock.now()` until which others are asked first; no more entries than servers. */
  readonly #avoidUntil = new Map<string, number>();

  constructor(door: ServersDoor, clock: Clock) {
    this.#door = door;
    this.#clock = clock;
  }

  /** The best server that is up and not among `excluded`; undefined when there is none. */
  next(dn: string, excluded: readonly Flow[] = []): TrunkServer | undefined {
    const current = this.#door.serverFor(dn);
    const up = this.#door.pool.list().flatMap((server) => (server.up ? [server.flow] : []));
    const out = new Set(excluded.map(({ id }) => id));
    const left = [...(current ? [current] : []), ...up].filter(({ id }) => !out.has(id));
    const flow = left.find(({ id }) => !this.#avoided(id)) ?? left[0];
    return flow && { flow, host: `${flow.remoteAddress}:${flow.remotePort}` };
  }

  /** It asked not to be called for `ms`. */
  avoid({ id }: Flow, ms: number): void {
    if (!this.#door.pool.list().some(({ flow }) => flow.id === id)) return;
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
