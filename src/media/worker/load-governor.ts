import { StateMachine, type Logger, type Transitions } from "../../core/index.ts";
import type { LoadState } from "../contract.ts";
import type { LoadSample } from "./load-meter.ts";

type LoadInput = "overloaded" | "relieved" | "idle";

const transitions: Transitions<LoadState, LoadInput> = {
  normal: { overloaded: "reduced", idle: "normal" },
  reduced: { overloaded: "full", relieved: "normal", idle: "normal" },
  // Nothing more can be spared: no new call is taken.
  full: { relieved: "reduced", idle: "normal" },
};

/** Opus complexity in each state, chosen by measurement: docs/decisions/0007-opus-complexity.md. */
const complexities: Readonly<Record<LoadState, number>> = { normal: 1, reduced: 0, full: 0 };

/** Where a state is left: a level reached, or fallen below, all through the time named. */
interface Limits {
  readonly over?: Level;
  readonly under?: Level & { readonly forMs: number };
}

interface Level {
  readonly cpuPercent: number;
  readonly lateMs: number;
}

/** Load must last so long before a step down, ms: a burst of handshakes is shorter. */
const overMs = 2000;
/**
 * Ticks that are late count from this load on, percent: below it others keep the thread from running, and to do less
 * would be no help.
 */
const leastOwnPercent = 25;
/** What a thread that never rests still shows, percent. */
const highest = 99;
/** Of a worker that is to refuse nothing because of its load, percent. */
const usualMaximum = 95;

/**
 * The gap between `over` and `under` is wider than what a step of complexity gains, so that no step undoes itself.
 * Admission keeps the load at its maximum by itself; `full` is for what it could not foresee.
 */
function limitsOf(maxLoadPercent: number): Readonly<Record<LoadState, Limits>> {
  const most = maxLoadPercent === 0 ? usualMaximum : maxLoadPercent;
  return {
    normal: { over: { cpuPercent: most - 10, lateMs: 10 } },
    reduced: {
      ...(maxLoadPercent === 0 ? {} : { over: { cpuPercent: Math.min(highest, most + 2), lateMs: 20 } }),
      under: { cpuPercent: most - 25, lateMs: 5, forMs: 10_000 },
    },
    full: { under: { cpuPercent: most - 5, lateMs: 10, forMs: 5000 } },
  };
}

/** Decides by the worker's load what its encoders may spend and whether it takes new calls. */
export class LoadGovernor {
  stepsDown = 0;
  stepsUp = 0;
  readonly #machine = new StateMachine(transitions, "normal");
  readonly #limits: Readonly<Record<LoadState, Limits>>;
  readonly #log: Logger;
  /** Time without a sample to the contrary, ms. */
  #overForMs = 0;
  #underForMs = 0;

  /** `maxLoadPercent` of one core from which new calls are refused; 0: never. */
  constructor(maxLoadPercent: number, log: Logger) {
    this.#limits = limitsOf(maxLoadPercent);
    this.#log = log;
  }

  get state(): LoadState {
    return this.#machine.state;
  }

  /** What encoders are to run at, 0-10 (RFC 6716 2.1.5). */
  get complexity(): number {
    return complexities[this.state];
  }

  /** Takes the load of the last `elapsedMs`. True when the state changed. */
  take(sample: LoadSample, elapsedMs: number): boolean {
    const { over, under } = this.#limits[this.state];
    this.#overForMs = over && isOver(sample, over) ? this.#overForMs + elapsedMs : 0;
    this.#underForMs = under && isUnder(sample, under) ? this.#underForMs + elapsedMs : 0;
    if (this.#overForMs >= overMs) return this.#step("overloaded", sample);
    if (under && this.#underForMs >= under.forMs) return this.#step("relieved", sample);
    return false;
  }

  /** No call is left. True when the state changed. */
  idle(): boolean {
    return this.#step("idle", { cpuPercent: 0, usualLateMs: 0, worstLateMs: 0 });
  }

  #step(input: LoadInput, { cpuPercent, usualLateMs }: LoadSample): boolean {
    const from = this.state;
    this.#overForMs = 0;
    this.#underForMs = 0;
    this.#machine.apply(input);
    if (from === this.state) return false;
    if (input === "overloaded") this.stepsDown++;
    else this.stepsUp++;
    const load = { cpuPercent: Math.round(cpuPercent), lateMs: Math.round(usualLateMs) };
    this.#log.info(
      { from, to: this.state, complexity: this.complexity, ...load },
      "media worker's load step",
    );
    return true;
  }
}

function isOver({ cpuPercent, usualLateMs }: LoadSample, level: Level): boolean {
  return cpuPercent >= level.cpuPercent || (usualLateMs >= level.lateMs && cpuPercent >= leastOwnPercent);
}

function isUnder({ cpuPercent, usualLateMs }: LoadSample, level: Level): boolean {
  return cpuPercent <= level.cpuPercent && (usualLateMs <= level.lateMs || cpuPercent < leastOwnPercent);
}
