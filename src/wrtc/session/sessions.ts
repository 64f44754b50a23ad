import type { Clock, Logger } from "../../core/index.ts";
import type { AgentRegistrar } from "../../registrar/index.ts";
import type { ClientCalls, ClientLine, GatewayMessage } from "../contract.ts";
import { writeGatewayMessage, type Letter } from "../protocol/gateway-message.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { MailboxCounters } from "./mailbox.ts";
import { Session, type Caller, type SessionTerms } from "./session.ts";
import { sessionName, type SsidClaims, type SsidMint } from "./ssid.ts";

/** Counted since the start. */
export interface SessionCounters extends MailboxCounters {
  opened: number;
  /** Found again by their SSID: after a restart, a pause of the client, or from another gateway. */
  rebuilt: number;
  expired: number;
  signedOut: number;
  dismissed: number;
  /** Posted messages, by kind. */
  readonly received: Record<string, number>;
  /** Posted again, since the reply was lost. */
  repeated: number;
}

export interface SessionsTerms extends SessionTerms {
  /** How old an SSID may be to open a session anew, ms. */
  readonly rebuildMs: number;
  readonly perDn: number;
  readonly inAll: number;
}

export interface SessionsOptions {
  readonly mint: SsidMint;
  readonly registrar: Pick<AgentRegistrar, "admit" | "release" | "noteReachable">;
  readonly makeCalls: (line: ClientLine) => ClientCalls;
  readonly terms: () => SessionsTerms;
  /** False: the gateway is drained or closes, and whoever is not signed in has to go elsewhere. */
  readonly accepting: () => boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Who is to be signed in; he has proven that he may. */
export interface NewSession {
  readonly name: string;
  readonly anonymous: boolean;
  readonly origin: string;
  readonly caller: Caller;
}

/** A session that is opened by an id of its own (simple variant) and writes in another way. */
export interface OwnSession extends NewSession {
  /** In a namespace of its own: no SSID begins so. */
  readonly id: string;
  readonly write: (message: GatewayMessage, peer: string) => Letter;
}

const endedKept = 20_000;

/** All sessions, by SSID. */
export class Sessions {
  readonly counters: SessionCounters = {
    opened: 0,
    rebuilt: 0,
    expired: 0,
    signedOut: 0,
    dismissed: 0,
    received: {},
    repeated: 0,
    delivered: { offer: 0, answer: 0, error: 0, bye: 0, talk: 0, hold: 0, info: 0, stats: 0 },
    requeued: 0,
    lost: 0,
  };
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<string, Session>();
  /** By DN, oldest first. */
  readonly #ofDn = new Map<string, Set<Session>>();
  /** Names of sessions that were signed out: nothing opens them again. */
  readonly #ended = new BoundedMap<true>(endedKept);
  /** When all clients of a DN were dismissed, ms since 1970-01-01 UTC: older SSIDs open nothing. */
  readonly #dismissed = new BoundedMap<number>(endedKept);

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Polls that hang. */
  get polls(): number {
    let polls = 0;
    for (const session of this.#sessions.values()) polls += session.polls;
    return polls;
  }

  /** Opens a session with an SSID of its own; undefined: there is no room, or the gateway takes nobody. */
  open(wish: NewSession): Session | undefined {
    const { mint, clock } = this.#options;
    if (!this.#makeRoom(wish.name)) return undefined;
    const ssid = mint.issue(wish.name, wish.anonymous, wish.origin);
    const session = this.#add({ ...wish, id: ssid, write: this.#write }, clock.wallClock());
    if (session) this.counters.opened++;
    return session;
  }

  /** The same for a session with an id that somebody else made; one there is with that id is over. */
  openAs(wish: OwnSession): Session | undefined {
    const before = this.#sessions.get(wish.id);
    if (before) this.end(before, "signed in anew");
    if (!this.#makeRoom(wish.name)) return undefined;
    const session = this.#add(wish, this.#options.clock.wallClock());
    if (session) this.counters.opened++;
    return session;
  }

  /** The session that runs under this id, for who comes from its origin. */
  find(id: string, origin: string): Session | undefined {
    const session = this.#sessions.get(id);
    return session?.origin === origin ? session : undefined;
  }

  /** What an SSID without a session says, if one may be opened by it. */
  claimsOf(ssid: string, origin: string): SsidClaims | undefined {
    const { mint, clock, terms } = this.#options;
    const claims = mint.read(ssid, origin);
    if (!claims || clock.wallClock() - claims.issuedAt > terms().rebuildMs) return undefined;
    if (claims.issuedAt <= (this.#dismissed.get(claims.name) ?? -Infinity)) return undefined;
    return this.#ended.get(sessionName(ssid)) ? undefined : claims;
  }

  /** Opens the session again that `claims` told of; the one that was opened meanwhile, if there is. */
  rebuild(ssid: string, { name, anonymous, issuedAt }: SsidClaims, wish: Omit<NewSession, "name" | "anonymous">) {
    const known = this.find(ssid, wish.origin);
    if (known || !this.#makeRoom(name)) return known;
    const session = this.#add({ ...wish, name, anonymous, id: ssid, write: this.#write }, issuedAt);
    if (session) this.counters.rebuilt++;
    return session;
  }

  /** Signs out what has this SSID, and nothing else; it cannot be opened again. */
  signOut(ssid: string, origin: string): void {
    const session = this.find(ssid, origin);
    if (!session && !this.claimsOf(ssid, origin)) return;
    this.#ended.set(sessionName(ssid), true);
    if (session) this.end(session, "signed out");
  }

  /** Ends one: its call, its polls, its registration. */
  end(session: Session, reason: string): void {
    if (!this.#remove(session)) return;
    this.counters.signedOut++;
    session.close(reason, 200);
    this.#release(session, reason);
  }

  /** Ends all; their clients poll on, and reach whoever has taken our place. */
  close(reason: string): void {
    for (const session of Array.from(this.#sessions.values())) {
      this.#remove(session);
      session.close(reason, 503);
      this.#release(session, reason);
    }
    this.#ended.clear();
    this.#dismissed.clear();
  }

  readonly #write = (message: GatewayMessage, peer: string): Letter =>
    writeGatewayMessage(message, peer, this.#options.clock.wallClock());

  #add(wish: OwnSession, since: number): Session | undefined {
    const { registrar, makeCalls, terms, clock, log } = this.#options;
    const { id, name: dn, write, ...others } = wish;
    const session: Session = new Session({
      ...others,
      id,
      dn,
      name: sessionName(id),
      since,
      write,
      makeCalls,
      registrar,
      terms,
      counters: this.counters,
      clock,
      log,
      onOver: (cause, reason) => this.#over(session, cause, reason),
    });
    this.#sessions.set(id, session);
    this.#ofDn.set(dn, new Set([...(this.#ofDn.get(dn) ?? []), session]));
    if (wish.anonymous || registrar.admit(session.presence)) return session;
    this.#remove(session);
    session.close("the gateway is being drained", 503);
    return undefined;
  }

  #over(session: Session, cause: "expired" | "dismissed", reason: string): void {
    if (!this.#remove(session)) return;
    this.counters[cause]++;
    const accepting = this.#options.accepting();
    // By an administrator. Who is moved away is to come back, or to another gateway.
    if (cause === "dismissed" && accepting) this.#dismissed.set(session.dn, this.#options.clock.wallClock());
    session.close(reason, accepting ? 200 : 503);
    this.#release(session, reason);
  }

  #release(session: Session, reason: string): void {
    if (!session.anonymous) this.#options.registrar.release(session.presence, reason);
  }

  #remove(session: Session): boolean {
    const ofDn = this.#ofDn.get(session.dn);
    ofDn?.delete(session);
    if (ofDn?.size === 0) this.#ofDn.delete(session.dn);
    return this.#sessions.delete(session.id);
  }

  /** Pages that were loaded anew leave sessions behind: of those with neither poll nor call the oldest goes. */
  #makeRoom(dn: string): boolean {
    const { terms, accepting } = this.#options;
    if (!accepting()) return false;
    const ofDn = Array.from(this.#ofDn.get(dn) ?? []);
    if (ofDn.length >= terms().perDn) {
      const left = ofDn.find(({ polls, calls }) => polls === 0 && !calls.busy);
      if (!left) return false;
      this.end(left, "another client of the DN has taken its place");
    }
    return this.#sessions.size < terms().inAll;
  }
}
