import type { Clock } from "../../core/index.ts";

/** A poll that was given up sooner was none that ran out: `polling_timeout` is 10 s at least (section 0). */
const leastMs = 9000;
/** A client whose poll ran out polls again at once; after an error in 3 s. */
const againMs = 1000;
/** How far below the client's limit polls are ended. */
const marginMs = 2000;

/** How long a client lets its polls hang, which it does not say: learned from those it gave up. */
export class PollLimit {
  readonly #clock: Clock;
  #limitMs = Infinity;
  #polledAt = -Infinity;
  #gaveUp: { readonly afterMs: number; readonly at: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** It gave up a poll that nothing had been told. */
  gaveUp(afterMs: number): void {
    const at = this.#clock.now();
    // That it polled again may be known before that it gave up.
    if (at - this.#polledAt <= againMs) this.#learn(afterMs);
    else this.#gaveUp = { afterMs, at };
  }

  /** It polled. */
  polled(): void {
    this.#polledAt = this.#clock.now();
    const last = this.#gaveUp;
    this.#gaveUp = undefined;
    if (last && this.#polledAt - last.at <= againMs) this.#learn(last.afterMs);
  }

  /** How long to let one hang where `ms` is configured (0: for ever), in ms; 0: for ever. */
  within(ms: number): number {
    const shortest = Math.min(ms === 0 ? Infinity : ms, this.#limitMs);
    return shortest === Infinity ? 0 : shortest;
  }

  #learn(afterMs: number): void {
    if (afterMs >= leastMs) this.#limitMs = Math.min(this.#limitMs, afterMs - marginMs);
  }
}
