import type { Clock, Logger } from "../core/index.ts";

/** A page that follows a call reads its trace every two seconds: told again only after this long, ms. */
const againMs = 60_000;
/** Reads remembered; beyond that the oldest are forgotten, and told again. */
const readsKept = 500;

/** Writes down who reads which trace: a line a minute for who reads it again and again. */
export class ReadLog {
  readonly #clock: Clock;
  readonly #log: Logger;
  /** By who and what: when it was told, `clock.now()`, oldest first. */
  readonly #told = new Map<string, number>();

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  note(read: {
    readonly who: string;
    readonly address: string;
    readonly call: string;
    readonly dn: string;
  }): void {
    const key = `${read.who} ${read.address} ${read.call}`;
    const now = this.#clock.now();
    const told = this.#told.get(key);
    if (told !== undefined && now - told < againMs) return;
    this.#told.delete(key);
    this.#told.set(key, now);
    for (const oldest of this.#told.keys()) if (this.#told.size > readsKept) this.#told.delete(oldest);
    this.#log.info(read, "trace read");
  }
}
