import type { Clock, Logger, Timer } from "../../core/index.ts";
import type { LegEnd } from "../legs/agent-leg.ts";

/**
 * How long a call may be set up or ring without a word of the side that is called, ms: RFC 3261 16.6 timer C. SIP
 * Server gives up long before; this ends the call of a SIP Server that died meanwhile, and of a page that sleeps.
 */
const patienceMs = 185_000;

/** Timer C of one call. */
export class SetUpPatience {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #giveUp: (end: LegEnd) => void;
  #timer: Timer | undefined;

  constructor(clock: Clock, log: Logger, giveUp: (end: LegEnd) => void) {
    this.#clock = clock;
    this.#log = log;
    this.#giveUp = giveUp;
  }

  /** (Re)starts it. */
  start(): void {
    this.#timer?.clear();
    const seconds = patienceMs / 1000;
    this.#timer = this.#clock.setTimer(patienceMs, () => {
      this.#log.info({ seconds }, "timer C is over");
      this.#giveUp({ status: 480, reason: `not answered within ${seconds} s` });
    });
  }

  close(): void {
    this.#timer?.clear();
  }
}
