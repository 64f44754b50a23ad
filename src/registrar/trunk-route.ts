import type { Random } from "../core/index.ts";
import type { Flow, SipUri } from "../sip/index.ts";
import type { ServerPool } from "./server-pool.ts";

/** Seconds to the next try after the first, second ... passing failure in a row. */
const retrySteps = [5, 10, 20, 40, 60, 120];
const maxRedirects = 3;

/** Which server a DN asks next when the one in use will not do, and how long it pauses when none will. */
export class TrunkRoute {
  readonly #pool: ServerPool;
  readonly #random: Random;
  /** Server to ask next instead of the pool's current one. */
  #detour: Flow | undefined;
  #asked: Flow[] = [];
  #redirects = 0;
  #failures = 0;

  constructor(pool: ServerPool, random: Random) {
    this.#pool = pool;
    this.#random = random;
  }

  /** The server to ask next; undefined while none answers. */
  get next(): Flow | undefined {
    return this.#detour ?? this.#pool.current;
  }

  /** As `next`; a detour counts once. */
  take(): Flow | undefined {
    const server = this.next;
    this.#detour = undefined;
    return server;
  }

  detour(server: Flow): void {
    this.#detour = server;
  }

  /** Begins anew: all may be asked again, and the pauses are short again. */
  reset(): void {
    this.#failures = 0;
    this.#asked = [];
  }

  /** A server has taken the DN. */
  arrived(): void {
    this.reset();
    this.#redirects = 0;
  }

  /** Where a redirection of `from` leads; undefined to go nowhere. */
  redirected(from: Flow, targets: readonly SipUri[]): Flow | undefined {
    const flows = targets.map((uri) => this.#pool.redirected(uri));
    const target = flows.find((flow) => flow && flow.id !== from.id);
    return target && this.#redirects++ < maxRedirects ? target : undefined;
  }

  /** `server` cannot take the DN now. */
  failed(server: Flow): void {
    this.#asked.push(server);
  }

  /** Another server, not asked since the last `reset`; undefined, and all may be asked again, when there is none. */
  another(): Flow | undefined {
    const other = this.#pool.other(this.#asked);
    if (!other) this.#asked = [];
    return other;
  }

  /** The pause before all are asked again, ms: longer each time. */
  pauseMs(): number {
    const step = (retrySteps[Math.min(this.#failures, retrySteps.length - 1)] ?? 120) * 1000;
    this.#failures++;
    return step * (1 + 0.2 * this.#random.fraction());
  }
}
