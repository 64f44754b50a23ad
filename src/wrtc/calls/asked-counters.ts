import type { MediaStatistics } from "../../b2bua/index.ts";
import type { Clock, Logger } from "../../core/index.ts";

export interface AskedCountersHost {
  readonly clock: Clock;
  readonly log: Logger;
  readonly statistics: () => Promise<MediaStatistics | undefined>;
  /** `sinceMs`: how long the call has been established. */
  readonly send: (statistics: MediaStatistics, sinceMs: number) => void;
}

/** The media's counters for a client that asks (GET-STATS): once at a time. */
export class AskedCounters {
  readonly #host: AskedCountersHost;
  #establishedAt: number | undefined;
  #counting = false;

  constructor(host: AskedCountersHost) {
    this.#host = host;
  }

  established(): void {
    this.#establishedAt = this.#host.clock.now();
  }

  ask(): void {
    if (this.#counting) return;
    this.#counting = true;
    const { clock, log, statistics, send } = this.#host;
    const sinceMs = this.#establishedAt === undefined ? 0 : clock.now() - this.#establishedAt;
    statistics()
      .then((counted) => counted && send(counted, sinceMs))
      .catch((error: unknown) => log.debug({ err: error }, "no counters for the client"))
      .finally(() => (this.#counting = false));
  }
}
