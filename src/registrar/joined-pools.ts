import { TypedEvents, type Logger } from "../core/index.ts";
import type { Flow, SipUri } from "../sip/index.ts";
import type { ServerPool, ServerPoolEvents, ServerStanding } from "./server-pool.ts";

/** The pools of two active peers as one, for what asks for any SIP Server: the preferred peer's servers first. */
export class JoinedPools implements ServerPool {
  readonly events: TypedEvents<ServerPoolEvents>;
  readonly #pools: readonly ServerPool[];

  constructor(pools: readonly ServerPool[], log: Logger) {
    this.#pools = pools;
    this.events = new TypedEvents(log);
    let before = this.current;
    for (const pool of pools) {
      pool.events.on("up", (server) => this.events.emit("up", server));
      pool.events.on("down", (server, reason) => this.events.emit("down", server, reason));
      pool.events.on("moved", (_server, forced) => {
        const { current } = this;
        if (current?.id !== before?.id) this.events.emit("moved", current, forced);
        before = current;
      });
    }
  }

  get current(): Flow | undefined {
    return this.#pools.find((pool) => pool.current)?.current;
  }

  other(excluded: readonly Flow[]): Flow | undefined {
    return this.#first((pool) => pool.other(excluded));
  }

  redirected(contact: SipUri): Flow | undefined {
    return this.#first((pool) => pool.redirected(contact));
  }

  list(): ServerStanding[] {
    return this.#pools.flatMap((pool) => pool.list());
  }

  isUp(server: Flow): boolean {
    return this.#pools.some((pool) => pool.isUp(server));
  }

  heard(server: Flow, roundTripMs?: number): void {
    for (const pool of this.#pools) pool.heard(server, roundTripMs);
  }

  unanswered(server: Flow, sentAt: number): boolean {
    // A pool that does not know the server says true.
    return this.#pools.map((pool) => pool.unanswered(server, sentAt)).every(Boolean);
  }

  suspend(server: Flow, ms: number): void {
    for (const pool of this.#pools) pool.suspend(server, ms);
  }

  close(): void {
    for (const pool of this.#pools) pool.close();
    this.events.removeAllListeners();
  }

  #first(ask: (pool: ServerPool) => Flow | undefined): Flow | undefined {
    for (const pool of this.#pools) {
      const found = ask(pool);
      if (found) return found;
    }
    return undefined;
  }
}
