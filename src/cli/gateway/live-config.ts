import { TypedEvents, type Logger } from "../../core/index.ts";
import type { Config, ConfigResult } from "../../config/index.ts";

/** Where the configuration came from, to be read again. */
export interface ConfigSource {
  /** Never throws. */
  readonly load: () => ConfigResult;
  /** See `ConfigResult`. */
  readonly watchedFiles: readonly string[];
}

/** What the live configuration tells. */
export type LiveConfigEvents = {
  /** A reload has put `next` in the place of `previous`. */
  changed: [next: Config, previous: Config];
};

/**
 * The configuration in force. A reload replaces it whole; who needs a value later asks `current` then, and keeps no
 * copy of what may change.
 */
export class LiveConfig {
  readonly events: TypedEvents<LiveConfigEvents>;
  #current: Config;

  constructor(config: Config, log: Logger) {
    this.#current = config;
    this.events = new TypedEvents(log);
  }

  get current(): Config {
    return this.#current;
  }

  /** Puts `next` in force, then tells. Who calls it has made sure that nothing differs that needs a restart. */
  replace(next: Config): void {
    const previous = this.#current;
    this.#current = next;
    this.events.emit("changed", next, previous);
  }
}
