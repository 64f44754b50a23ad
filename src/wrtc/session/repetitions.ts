import { BoundedMap, type Clock } from "../../core/index.ts";

const keysKept = 64;
/** A client repeats what got no answer every 3 s; one that sends no ids may mean the same anew after so long, ms. */
const forgottenMs = 120_000;

/** Tells repeated messages of one client from new ones: the reply to the first was lost (2.3). */
export class Repetitions {
  readonly #clock: Clock;
  /** When each was last seen, `clock.now()`. */
  readonly #seen = new BoundedMap<number>(keysKept);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a message with this key came before; from now on it did. */
  isRepeated(key: string): boolean {
    const now = this.#clock.now();
    const before = this.#seen.get(key);
    this.#seen.set(key, now);
    return before !== undefined && now - before < forgottenMs;
  }
}
