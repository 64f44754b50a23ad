import type { Flow } from "../sip/index.ts";
import type { TrunkStatus } from "./contract.ts";
import { createServerPool, type ServerPool, type ServerPoolSurroundings } from "./server-pool.ts";
import { TrunkDn, type TrunkContext } from "./trunk-dn.ts";

/** What the registrations at one SIP Server are made of. */
export interface PeerOptions {
  readonly pool: ServerPoolSurroundings;
  readonly trunk: Omit<TrunkContext, "pool">;
  /** Whether something else, a call, needs a server whose name no longer leads there. */
  readonly inUse: (server: Flow) => boolean;
}

/** All DNs' registrations at one SIP Server, whatever number of addresses it has. */
export class PeerRegistrations {
  readonly name: string;
  readonly pool: ServerPool;
  readonly #context: TrunkContext;
  readonly #dns = new Map<string, TrunkDn>();
  /** Why DNs that nobody is behind are not registered, where that needs words. */
  #idleReason = "";

  constructor({ pool, trunk, inUse }: PeerOptions) {
    this.name = pool.source.name;
    this.pool = createServerPool({
      ...pool,
      inUse: (server) => inUse(server) || this.#someAt(server),
    });
    this.#context = { ...trunk, pool: this.pool };
    this.pool.events.on("moved", (current, forced) => this.#onMoved(current, forced));
  }

  get size(): number {
    return this.#dns.size;
  }

  /** How many DNs are wanted, under way or left at SIP Server. */
  get busy(): number {
    let busy = 0;
    for (const dn of this.#dns.values()) if (dn.busy) busy++;
    return busy;
  }

  /** The DNs there are. */
  dns(): Iterable<string> {
    return this.#dns.keys();
  }

  status(dn: string): TrunkStatus {
    return this.#dns.get(dn)?.status ?? { state: "idle", reason: "" };
  }

  /** The server that has `dn` in service, while it answers. */
  serverOf(dn: string): Flow | undefined {
    const server = this.#dns.get(dn)?.server;
    return server && this.pool.isUp(server) ? server : undefined;
  }

  /** Of a DN that is registered whether anybody is signed in or not. */
  always(dn: string): void {
    const record = this.#record(dn);
    record.present = true;
    record.serverMoved(this.pool.current, true);
  }

  signIn(dn: string): void {
    this.#record(dn).signIn();
  }

  signOut(dn: string): void {
    const record = this.#dns.get(dn);
    if (!record) return;
    record.present = false;
    record.settle();
  }

  /** A call needs the DN; `release` takes that back. */
  retain(dn: string): void {
    this.#record(dn).retained++;
  }

  release(dn: string): void {
    const record = this.#dns.get(dn);
    // After `close` nothing is held any more.
    if (!record || record.retained === 0) return;
    record.retained--;
    record.settle(this.#idleReason);
  }

  /** See `TrunkDn.elsewhere`. */
  setElsewhere(dn: string, elsewhere: boolean): void {
    const record = this.#dns.get(dn);
    if (record) record.elsewhere = elsewhere;
  }

  /** Whether anything of `dn` is wanted, under way or left at SIP Server. */
  holds(dn: string): boolean {
    return this.#dns.get(dn)?.busy ?? false;
  }

  /** How many DNs `server` has in service. */
  registeredAt(server: Flow): number {
    let registered = 0;
    for (const record of this.#dns.values()) if (record.server?.id === server.id) registered++;
    return registered;
  }

  /** Nobody is behind the DNs any more: those without a call are un-registered at once, the others after it. */
  drain(reason: string): void {
    this.#idleReason = reason;
    for (const record of this.#dns.values()) {
      record.present = false;
      record.settle(reason);
    }
  }

  /** The end of `drain`, before the DNs sign in again. */
  undrain(): void {
    this.#idleReason = "";
    for (const record of this.#dns.values()) record.elsewhere = false;
  }

  /** As `drain`, calls or not. */
  letGo(): void {
    for (const record of this.#dns.values()) record.retained = 0;
    this.drain("");
  }

  /** Forgets all without a word. Idempotent. */
  close(): void {
    this.pool.close();
    for (const record of this.#dns.values()) record.close();
    this.#dns.clear();
  }

  #someAt(server: Flow): boolean {
    for (const record of this.#dns.values()) if (record.holdsAt(server)) return true;
    return false;
  }

  #onMoved(current: Flow | undefined, forced: boolean): void {
    // DNs in a call first: the pacer starts what it can as soon as it is asked.
    const records = Array.from(this.#dns.values()).sort((one, other) => other.retained - one.retained);
    for (const record of records) record.serverMoved(current, forced);
  }

  #record(dn: string): TrunkDn {
    let record = this.#dns.get(dn);
    if (!record) this.#dns.set(dn, (record = new TrunkDn(dn, this.#context)));
    return record;
  }
}
