import type { Timer } from "../core/index.ts";
import { EndpointSession, type EndpointDoors } from "./session.ts";

/** Signs of life to the pages: neither they nor proxies take a silent stream for dead, ms. */
const keepAliveMs = 20_000;
/** In so many turns: each page answers at once, and a thousand answers at a time would keep calls waiting. */
const turns = 20;

/** All sessions, one for each DN somebody has a token of. */
export class EndpointSessions {
  readonly #doors: EndpointDoors;
  readonly #byDn = new Map<string, EndpointSession>();
  /** Who gets its sign of life together. */
  readonly #turns = Array.from({ length: turns }, () => new Set<EndpointSession>());
  #turn = 0;
  #opened = 0;
  #orders = 0;
  #keepAlive: Timer | undefined;

  constructor(doors: EndpointDoors) {
    this.#doors = doors;
  }

  get size(): number {
    return this.#byDn.size;
  }

  all(): EndpointSession[] {
    return Array.from(this.#byDn.values());
  }

  find(dn: string): EndpointSession | undefined {
    return this.#byDn.get(dn);
  }

  /** The session of a DN, a new one where there is none. */
  of(dn: string): EndpointSession {
    const known = this.#byDn.get(dn);
    if (known) return known;
    const session = new EndpointSession(
      dn,
      this.#doors,
      () => ++this.#orders,
      () => this.#end(session),
    );
    this.#byDn.set(dn, session);
    this.#turns[this.#opened++ % turns]?.add(session);
    this.#keepAlive ??= this.#doors.clock.setTimer(keepAliveMs / turns, () => this.#tick());
    return session;
  }

  /** Ends the pages of which `isRevoked` holds. */
  endPages(isRevoked: (tokenId: string) => boolean): void {
    for (const { page } of this.#byDn.values()) if (page.holder && isRevoked(page.holder.id)) page.close();
  }

  /** Ends all; the DNs stay as they are. Idempotent. */
  close(): void {
    this.#keepAlive?.clear();
    this.#keepAlive = undefined;
    for (const session of this.#byDn.values()) session.close();
    this.#byDn.clear();
    for (const turn of this.#turns) turn.clear();
  }

  #end(session: EndpointSession): void {
    session.close();
    this.#byDn.delete(session.dn);
    for (const turn of this.#turns) turn.delete(session);
  }

  #tick(): void {
    this.#turn = (this.#turn + 1) % turns;
    for (const session of this.#turns[this.#turn] ?? []) session.tick();
    this.#keepAlive =
      this.size === 0 ? undefined : this.#doors.clock.setTimer(keepAliveMs / turns, () => this.#tick());
  }
}
