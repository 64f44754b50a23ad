import type { Logger } from "./logger.ts";

/** For each state the inputs it takes and the state each leads to; an input not listed is illegal there. */
export type Transitions<State extends string, Input extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Input, State>>>>
>;

/**
 * A state machine as data: one table, one function that applies it, logs the move and refuses the illegal.
 * Side effects belong to the owner, keyed on what `apply` returns.
 */
export class StateMachine<State extends string, Input extends string> {
  #state: State;
  readonly #transitions: Transitions<State, Input>;
  readonly #log: Logger | undefined;
  readonly #level: "debug" | "info";

  /** `level` is the one moves are logged at. */
  constructor(
    transitions: Transitions<State, Input>,
    initial: State,
    log?: Logger,
    level: "debug" | "info" = "debug",
  ) {
    this.#transitions = transitions;
    this.#state = initial;
    this.#log = log;
    this.#level = level;
  }

  get state(): State {
    return this.#state;
  }

  /** Whether `input` is legal in the present state. */
  accepts(input: Input): boolean {
    return this.#transitions[this.#state][input] !== undefined;
  }

  /** Moves by `input`; returns false, logs and stays where it is when the table has no such move. */
  apply(input: Input): boolean {
    const next = this.#transitions[this.#state][input];
    if (next === undefined) {
      this.#log?.warn({ state: this.#state, input }, "illegal input for state");
      return false;
    }
    this.#log?.[this.#level]({ from: this.#state, input, to: next }, "state");
    this.#state = next;
    return true;
  }
}
