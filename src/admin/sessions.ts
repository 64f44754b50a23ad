import { createHash } from "node:crypto";
import { randomId, type Clock, type Random } from "../core/index.ts";
import type { Identity } from "./identity.ts";

export interface SessionLimits {
  /** Without a request for so long it is over, ms. */
  readonly idleMs: number;
  /** Over in any case after this time, ms. */
  readonly absoluteMs: number;
}

export interface Session {
  readonly identity: Identity;
  readonly began: number;
  used: number;
}

/** At one time; one more ends the one that was used longest ago. */
const sessionsKept = 500;
const idBytes = 32;

/** Who is signed in at the dashboard. In memory only: a restart ends all. */
export class Sessions {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #limits: SessionLimits;
  /** By SHA-256 of the id, used longest ago first: what lies in memory opens nothing, and no compare tells of an id. */
  readonly #sessions = new Map<string, Session>();

  constructor(clock: Clock, random: Random, limits: SessionLimits) {
    this.#clock = clock;
    this.#random = random;
    this.#limits = limits;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** @returns the id of a new session */
  begin(identity: Identity): string {
    const now = this.#clock.now();
    for (const [key, session] of this.#sessions) {
      if (this.lives(session) && this.#sessions.size < sessionsKept) continue;
      this.#sessions.delete(key);
    }
    const id = randomId(this.#random, idBytes);
    this.#sessions.set(keyOf(id), { identity, began: now, used: now });
    return id;
  }

  /** The session of an id, marked as used now; undefined when there is none or it is over. */
  find(id: string): Session | undefined {
    const key = keyOf(id);
    const session = this.#sessions.get(key);
    if (!session) return undefined;
    this.#sessions.delete(key);
    if (!this.lives(session)) return undefined;
    session.used = this.#clock.now();
    this.#sessions.set(key, session);
    return session;
  }

  /** Whether it was neither ended nor has run out; not a use of it. */
  lives(session: Session): boolean {
    const now = this.#clock.now();
    const { idleMs, absoluteMs } = this.#limits;
    return now < session.used + idleMs && now < session.began + absoluteMs;
  }

  end(id: string): void {
    this.#end(keyOf(id));
  }

  /** Ends the sessions of these people. */
  endOf(isMeant: (identity: Identity) => boolean): void {
    for (const [key, { identity }] of this.#sessions) if (isMeant(identity)) this.#end(key);
  }

  #end(key: string): void {
    const session = this.#sessions.get(key);
    // Streams that were opened with it see it end too.
    if (session) session.used = -Infinity;
    this.#sessions.delete(key);
  }
}

function keyOf(id: string): string {
  return createHash("sha256").update(id).digest("base64");
}
