import type { Clock, Timer } from "../../core/index.ts";

export interface ReachHost {
  readonly clock: Clock;
  /** A client that cannot be reached is given up after so long, ms. */
  readonly patienceMs: number;
  readonly rings: () => boolean;
  readonly reachable: () => boolean;
  readonly giveUp: () => void;
}

/** Between two looks whether a client that rings is still there, ms at least. */
const leastMs = 1000;

/** Whether a client that rings can be reached: it may be lost while it rings, too. */
export class Reach {
  readonly #host: ReachHost;
  #patience: Timer | undefined;

  constructor(host: ReachHost) {
    this.#host = host;
  }

  watch(ms = this.#host.patienceMs): void {
    const { clock, patienceMs, rings, reachable, giveUp } = this.#host;
    this.#patience = clock.setTimer(ms, () => {
      if (!rings()) return;
      if (reachable()) this.watch(Math.max(patienceMs, leastMs));
      else giveUp();
    });
  }

  close(): void {
    this.#patience?.clear();
  }
}
