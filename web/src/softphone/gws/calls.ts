import type { GwsCall } from "./messages.ts";

/** Ids of ended calls remembered, so that what was asked for before the end brings none back. */
const MOST_ENDED = 50;
const MOST_CALLS = 20;

/**
 * The calls as GWS tells them. Events and answers come by different ways and in any order: while an answer is on its
 * way, what an event says meanwhile is newer.
 */
export class GwsCalls {
  #calls = new Map<string, GwsCall>();
  readonly #ended = new Set<string>();
  /** What events told since the list was asked for; undefined while it is not. */
  #told: Set<string> | undefined;

  get all(): readonly GwsCall[] {
    return [...this.#calls.values()];
  }

  /** The call of this `X-Genesys-CallUUID`; upper and lower case are one. */
  find(callUuid: string): GwsCall | undefined {
    return this.#calls.get(callUuid.toUpperCase());
  }

  /** An event. */
  apply(call: GwsCall): void {
    const id = call.id.toUpperCase();
    this.#told?.add(id);
    if (call.state === "Released") this.#end(id);
    else if (!this.#ended.has(id) && (this.#calls.has(id) || this.#calls.size < MOST_CALLS))
      this.#calls.set(id, call);
  }

  /** The list is asked for. */
  asked(): void {
    this.#told = new Set();
  }

  /** Here it is: what is not in it is over, but for what events have told since it was asked for. */
  answered(calls: readonly GwsCall[]): void {
    const told = this.#told ?? new Set();
    this.#told = undefined;
    const kept = [...this.#calls].filter(([id]) => told.has(id));
    const listed = calls
      .filter(({ id, state }) => state !== "Released" && !told.has(id.toUpperCase()))
      .map((call) => [call.id.toUpperCase(), call] as const);
    this.#calls = new Map([...kept, ...listed].slice(0, MOST_CALLS));
  }

  clear(): void {
    this.#calls.clear();
    this.#ended.clear();
    this.#told = undefined;
  }

  #end(id: string): void {
    this.#calls.delete(id);
    this.#ended.add(id);
    const oldest = this.#ended.size > MOST_ENDED ? this.#ended.values().next().value : undefined;
    if (oldest !== undefined) this.#ended.delete(oldest);
  }
}
