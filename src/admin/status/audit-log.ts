import type { Clock, Logger } from "../../core/index.ts";
import type { Audit } from "./contract.ts";
import { Recent } from "./recent.ts";
import { isoTime } from "./show.ts";

const kept = 200;

/** Who did what: the last acts, each of them a log line with `audit: true` too. */
export class AuditLog {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #recent = new Recent<Audit>(kept);

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  get recent(): Pick<Recent<Audit>, "last" | "since" | "until"> {
    return this.#recent;
  }

  note(audit: Omit<Audit, "at">): void {
    this.#recent.add({ at: isoTime(this.#clock.wallClock()), ...audit });
    this.#log.info({ audit: true, ...audit }, "act of an administrator");
  }
}
