import type { Clock } from "../../core/index.ts";

/** When a call reached each of its states. */
export class CallTimes {
  readonly #clock: Clock;
  readonly #started: number;
  #ringing: number | undefined;
  #answered: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#started = clock.wallClock();
  }

  /** ISO 8601 UTC. */
  get startedAt(): string {
    return isoTime(this.#started);
  }

  /** ISO 8601 UTC; undefined before. */
  get answeredAt(): string | undefined {
    return this.#answered === undefined ? undefined : isoTime(this.#answered);
  }

  note(input: "ring" | "park" | "answer" | "establish" | "end"): void {
    if (input === "ring") this.#ringing ??= this.#clock.wallClock();
    if (input === "establish") this.#answered ??= this.#clock.wallClock();
  }

  /** From the start to the answer; undefined before. */
  get setUpMs(): number | undefined {
    return this.#answered === undefined ? undefined : this.#answered - this.#started;
  }

  report() {
    const ended = this.#clock.wallClock();
    const talkMs = this.#answered === undefined ? 0 : ended - this.#answered;
    return {
      startedAt: isoTime(this.#started),
      ringingAt: this.#ringing === undefined ? undefined : isoTime(this.#ringing),
      answeredAt: this.answeredAt,
      endedAt: isoTime(ended),
      talkSeconds: Math.round(talkMs / 100) / 10,
    };
  }
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
