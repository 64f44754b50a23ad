import type { Logger } from "./logger.ts";

/** Maps an event's name to the tuple of its arguments. */
export type EventMap = Record<string, unknown[]>;

/**
 * Events with typed names and arguments. A listener that throws is logged and counted; it never breaks the
 * emitter or the other listeners.
 */
export class TypedEvents<Events extends EventMap> {
  readonly #listeners: { [Name in keyof Events]?: Set<(...args: Events[Name]) => void> } = {};
  readonly #log: Logger | undefined;
  /** How many times a listener threw. */
  listenerErrors = 0;

  constructor(log?: Logger) {
    this.#log = log;
  }

  /** Adds a listener; the returned function takes it away again. */
  on<Name extends keyof Events>(name: Name, listener: (...args: Events[Name]) => void): () => void {
    const set = (this.#listeners[name] ??= new Set());
    set.add(listener);
    return () => set.delete(listener);
  }

  emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): void {
    for (const listener of Array.from(this.#listeners[name] ?? [])) {
      try {
        listener(...args);
      } catch (error) {
        this.listenerErrors++;
        this.#log?.error({ err: error, event: String(name) }, "listener threw");
      }
    }
  }

  /** Drops every listener; part of closing the owner. */
  removeAllListeners(): void {
    for (const set of Object.values(this.#listeners)) set?.clear();
  }

  /** Number of listeners of all events: zero after a clean close. */
  get listenerCount(): number {
    let count = 0;
    for (const set of Object.values(this.#listeners)) count += set?.size ?? 0;
    return count;
  }
}
