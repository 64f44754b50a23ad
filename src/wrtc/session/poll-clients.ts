import { BoundedMap, limitedWarn, type Logger } from "../../core/index.ts";
import type { ClientLine } from "../contract.ts";
import type { MailboxCounters, WaitTerms } from "./mailbox.ts";
import { PollClient } from "./poll-client.ts";
import type { Caller } from "./session.ts";
import type { NewSession, Sessions, SessionsOptions } from "./sessions.ts";
import { sessionName, type SsidClaims, type SsidMint } from "./ssid.ts";

/** Counted since the start. */
export interface PollCounters extends MailboxCounters {
  /** Posted, by kind; repetitions too. */
  readonly received: Record<string, number>;
  /** Posted again, since the reply was lost. */
  repeated: number;
}

export interface PollClientsTerms extends WaitTerms {
  /** How old an SSID may be to open a session anew, ms. */
  readonly rebuildMs: number;
}

export interface PollClientsOptions extends Pick<SessionsOptions, "clock" | "log"> {
  readonly sessions: Sessions;
  readonly mint: SsidMint;
  readonly terms: () => PollClientsTerms;
}

/** Who signs in, and from where. */
export interface NewClient {
  readonly dn: string;
  readonly anonymous: boolean;
  readonly origin: string | undefined;
  readonly caller: Caller;
}

/** A client with the secret that names it. */
export interface OpenedClient {
  readonly ssid: string;
  readonly client: PollClient;
}

/** SSIDs remembered that were signed out. */
const endedKept = 20_000;

/** The clients of grtc.js that are signed in, by SSID. */
export class PollClients {
  readonly counters: PollCounters = {
    received: {},
    repeated: 0,
    delivered: { offer: 0, answer: 0, error: 0, bye: 0, talk: 0, hold: 0, info: 0, stats: 0 },
    requeued: 0,
    lost: 0,
  };
  readonly #options: PollClientsOptions;
  readonly #clients = new Map<string, PollClient>();
  /** Names of sessions that signed out: nothing opens them again. */
  readonly #ended = new BoundedMap<true>(endedKept);
  readonly #warn: Logger["warn"];

  constructor(options: PollClientsOptions) {
    this.#options = options;
    this.#warn = limitedWarn(options.log, options.clock);
  }

  get size(): number {
    return this.#clients.size;
  }

  /** Polls that hang. */
  get polls(): number {
    let polls = 0;
    for (const client of this.#clients.values()) polls += client.polls;
    return polls;
  }

  /** See `Sessions.open`. */
  open(wish: NewClient): OpenedClient | undefined {
    const { mint, sessions } = this.#options;
    const ssid = mint.issue(wish.dn, wish.anonymous, wish.origin ?? "");
    const client = this.#add(ssid, wish, false);
    if (!client) return undefined;
    sessions.counters.opened++;
    return { ssid, client };
  }

  /** The client with this SSID, if it comes from where it signed in. */
  find(ssid: string, origin: string | undefined): PollClient | undefined {
    const client = this.#clients.get(ssid);
    if (!client || client.origin === origin) return client;
    const { dn, instance } = client.presence;
    this.#warn({ dn, instance, origin }, "a session's SSID was used from another origin: refused");
    return undefined;
  }

  /** What an SSID says, if a session may be opened by it anew; who was signed out has to sign in. */
  claimsOf(ssid: string, origin: string | undefined): SsidClaims | undefined {
    const { mint, clock, terms, sessions } = this.#options;
    const claims = mint.read(ssid, origin ?? "");
    if (!claims || clock.wallClock() - claims.issuedAt > terms().rebuildMs) return undefined;
    const out = claims.issuedAt <= sessions.dismissedAt(claims.name) || this.#ended.get(sessionName(ssid));
    return out ? undefined : claims;
  }

  /** Opens the session again that `claims` told of, or takes the one that was opened meanwhile. */
  rebuild(
    ssid: string,
    claims: SsidClaims,
    wish: Pick<NewClient, "origin" | "caller">,
  ): PollClient | undefined {
    const known = this.find(ssid, wish.origin);
    // It may have been signed out while its account was looked up.
    if (known || !this.claimsOf(ssid, wish.origin)) return known;
    const { name: dn, anonymous, issuedAt: since } = claims;
    const client = this.#add(ssid, { ...wish, dn, anonymous, since }, true);
    if (client) this.#options.sessions.counters.rebuilt++;
    return client;
  }

  /** Signs out what has this SSID, and nothing else; it opens nothing any more. */
  signOut(ssid: string, origin: string | undefined): void {
    const client = this.find(ssid, origin);
    if (!client && !this.claimsOf(ssid, origin)) return;
    this.#ended.set(sessionName(ssid), true);
    if (client?.session) this.#options.sessions.end(client.session, "signed out");
  }

  #add(ssid: string, wish: NewClient & Pick<NewSession, "since">, rebuilt: boolean): PollClient | undefined {
    const { sessions, terms, clock, log } = this.#options;
    const { origin, ...session } = wish;
    const { anonymous } = wish;
    let client: PollClient | undefined;
    const opened = sessions.open(
      { ...session, name: sessionName(ssid) },
      {
        line: (presence): ClientLine =>
          (client = new PollClient(presence, {
            anonymous,
            origin,
            rebuilt,
            terms,
            counters: this.counters,
            clock,
            log,
          })),
        onClosed: (status) => {
          if (this.#clients.get(ssid) === client) this.#clients.delete(ssid);
          client?.close(status);
        },
      },
    );
    if (!opened || !client) return undefined;
    client.session = opened;
    this.#clients.set(ssid, client);
    return client;
  }
}
