import { BoundedMap, type Clock, type Logger } from "../../core/index.ts";
import type { AgentRegistrar } from "../../registrar/index.ts";
import type { ClientCalls, ClientLine } from "../contract.ts";
import { Session, type Caller, type EndStatus, type SessionUser } from "./session.ts";

/** Counted since the start. */
export interface SessionCounters {
  opened: number;
  /** Found again by their SSID: after a restart, a pause of the client, or from another gateway. */
  rebuilt: number;
  signedOut: number;
  expired: number;
  dismissed: number;
}

export interface SessionsTerms {
  /** See `SessionOptions.expiryMs`. */
  readonly expiryMs: number;
  readonly perDn: number;
  readonly inAll: number;
}

export interface SessionsOptions {
  readonly registrar: Pick<AgentRegistrar, "admit" | "release" | "noteReachable">;
  readonly makeCalls: (line: ClientLine) => ClientCalls;
  /** Asked each time: a reload may change them. */
  readonly terms: () => SessionsTerms;
  /** False: the gateway is drained or closes, and whoever is not signed in has to go elsewhere. */
  readonly accepting: () => boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Who is to be signed in; he has proven that he may. */
export interface NewSession {
  /** DN, or the ID of an anonymous sign-in. */
  readonly dn: string;
  readonly anonymous: boolean;
  /** For logs and lists. */
  readonly name: string;
  readonly caller: Caller;
  /** ms since 1970-01-01 UTC; left out: now. */
  readonly since?: number;
}

/** DNs remembered that an administrator has signed out. */
const dismissalsKept = 20_000;

/** All sessions, whatever protocol their clients speak. */
export class Sessions {
  readonly counters: SessionCounters = { opened: 0, rebuilt: 0, signedOut: 0, expired: 0, dismissed: 0 };
  readonly #options: SessionsOptions;
  /** By DN, oldest first. */
  readonly #ofDn = new Map<string, Set<Session>>();
  readonly #dismissals = new BoundedMap<number>(dismissalsKept);
  #size = 0;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  /** When all clients of a DN were signed out by an administrator, ms since 1970-01-01 UTC; what is older opens nothing. */
  dismissedAt(dn: string): number {
    return this.#dismissals.get(dn) ?? -Infinity;
  }

  /** Undefined: there is no room, or the gateway takes nobody. */
  open(wish: NewSession, user: SessionUser): Session | undefined {
    const { registrar, makeCalls, terms, clock } = this.#options;
    if (!this.#makeRoom(wish.dn)) return undefined;
    const session: Session = new Session({
      since: clock.wallClock(),
      ...wish,
      user,
      makeCalls,
      registrar,
      expiryMs: () => terms().expiryMs,
      clock,
      onOver: (cause, reason) => this.#over(session, cause, reason),
    });
    this.#size++;
    this.#ofDn.set(wish.dn, new Set([...(this.#ofDn.get(wish.dn) ?? []), session]));
    if (wish.anonymous || registrar.admit(session.presence)) return session;
    this.#end(session, "the gateway is being drained", 503);
    return undefined;
  }

  /** Ends one: its call, its polls, its registration. Idempotent. */
  end(session: Session, reason: string): void {
    if (this.#end(session, reason, 200)) this.counters.signedOut++;
  }

  /** Ends all; their clients poll on, and reach whoever has taken our place. */
  close(reason: string): void {
    for (const session of Array.from(this.#ofDn.values()).flatMap((ofDn) => [...ofDn]))
      this.#end(session, reason, 503);
    this.#dismissals.clear();
  }

  #over(session: Session, cause: "expired" | "dismissed", reason: string): void {
    const accepting = this.#options.accepting();
    // By an administrator. Who is moved away is to come back, or to go to another gateway.
    if (cause === "dismissed" && accepting) this.#dismissals.set(session.dn, this.#options.clock.wallClock());
    if (this.#end(session, reason, accepting ? 200 : 503)) this.counters[cause]++;
  }

  #end(session: Session, reason: string, status: EndStatus): boolean {
    const ofDn = this.#ofDn.get(session.dn);
    if (!ofDn?.delete(session)) return false;
    this.#size--;
    if (ofDn.size === 0) this.#ofDn.delete(session.dn);
    session.close(reason, status);
    if (!session.anonymous) this.#options.registrar.release(session.presence, reason);
    return true;
  }

  /** Pages that were loaded anew leave sessions behind: of those that do not poll and have no call the oldest goes. */
  #makeRoom(dn: string): boolean {
    const { terms, accepting, log } = this.#options;
    if (!accepting()) return false;
    const ofDn = Array.from(this.#ofDn.get(dn) ?? []);
    if (ofDn.length >= terms().perDn) {
      const left = ofDn.find(({ presence, calls }) => !presence.reachable && !calls.busy);
      if (left) this.end(left, "another client of the DN has taken its place");
      else {
        log.warn({ dn, sessions: ofDn.length }, "the DN has as many clients as it may: another is refused");
        return false;
      }
    }
    if (this.#size < terms().inAll) return true;
    log.warn({ sessions: this.#size }, "there are as many sessions as there may be: another is refused");
    return false;
  }
}
