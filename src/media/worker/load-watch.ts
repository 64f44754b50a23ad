import { TokenBucket, type Logger } from "../../core/index.ts";
import type { ExhaustedCause, WorkerStatistics } from "../contract.ts";
import { expectedPercent, refusal, type AdmissionLimits, type Burden } from "./admission.ts";
import { CallPrice } from "./call-price.ts";
import { LoadGovernor } from "./load-governor.ts";
import { LoadMeter, sampleMs, type LoadSample } from "./load-meter.ts";
import type { WorkerLoad } from "./messages.ts";

/** How often the kernel is asked what it dropped, ms. */
const dropsMs = 5000;

/** Below this load FEC is granted to all that ask, percent. */
const calmPercent = 50;
/**
 * Above it to so many a second: one costs some 0.2 % of a core, and the governor needs three seconds to see what they
 * cost together. Loss seldom comes to one call alone.
 */
const fecPerSecond = 5;

const noLoad: LoadSample = { cpuPercent: 0, usualLateMs: 0, worstLateMs: 0 };

/** What the machine tells of this thread. */
export interface LoadReadings {
  /** CPU time the thread has used so far, user and system, ms. */
  readonly cpuMs: () => number;
  /** Datagrams the kernel dropped on the shared port since it was bound; undefined when it does not tell. */
  readonly kernelDrops: () => Promise<number | undefined>;
}

export interface LoadWatchOptions {
  /** Monotonic, ms, as all later ones. */
  readonly now: number;
  readonly readings: LoadReadings;
  readonly limits: AdmissionLimits;
  readonly log: Logger;
  /** An interval is over: asks each session how much it sounded in it. */
  readonly listen: (elapsedMs: number) => void;
  /** Sessions, by how far the load of the interval from `since` to `until` shows them. */
  readonly count: (since: number, until: number) => Pick<Burden, "sessions" | "sounding" | "setUps">;
  /** Whether a session could be bound; default: always. */
  readonly portsLeft?: () => boolean;
  /** Told after each interval. */
  readonly onLoad: (load: WorkerLoad) => void;
  /** The complexity all encoders are to run at from now on. */
  readonly onComplexity: (complexity: number) => void;
}

/** Keeps watch over the load of one worker: measures it, has encoders spend less, refuses new calls. */
export class LoadWatch {
  readonly #options: LoadWatchOptions;
  readonly #meter: LoadMeter;
  readonly #governor: LoadGovernor;
  readonly #price: CallPrice;
  #sample = noLoad;
  #sampledAt = 0;
  /** When the interval began that `#sample` tells of. */
  #sampledFrom = 0;
  /** Calls' worth of sound in it; some may be over since. */
  #sounded = 0;
  #kernelDrops: number | undefined;
  #dropsAskedAt = -Infinity;
  #refusals = 0;
  readonly #fecGrants: TokenBucket;
  #fecRefusals = 0;
  #told = false;

  constructor(options: LoadWatchOptions) {
    this.#options = options;
    this.#fecGrants = new TokenBucket(fecPerSecond, fecPerSecond, options.now);
    this.#meter = new LoadMeter(options.readings.cpuMs);
    this.#price = new CallPrice(options.limits.maxLoadPercent);
    this.#governor = new LoadGovernor(options.limits.maxLoadPercent, options.log);
  }

  /** What encoders made now are to run at. */
  get complexity(): number {
    return this.#governor.complexity;
  }

  /** The ticks begin. */
  start(now: number): void {
    this.#sampledAt = now;
    this.#sampledFrom = now;
    this.#meter.start(now);
  }

  /** Every 20 ms while there are sessions; a sample is taken once a second. */
  tick(now: number, lateMs: number): void {
    const sample = this.#meter.tick(now, lateMs);
    if (!sample) return;
    const elapsed = now - this.#sampledAt;
    this.#sample = sample;
    this.#sampledFrom = this.#sampledAt;
    this.#sampledAt = now;
    this.#options.listen(elapsed);
    const { sounding, setUps } = this.#options.count(this.#sampledFrom, now);
    this.#sounded = sounding;
    this.#price.learn({ cpuPercent: sample.cpuPercent, sounding, setUps });
    // A thread that did not run for long was not loaded for long: no more than one interval is held against it.
    if (this.#governor.take(sample, Math.min(elapsed, sampleMs))) this.#options.onComplexity(this.complexity);
    this.#tell();
    if (now - this.#dropsAskedAt >= dropsMs) this.#askKernel(now);
  }

  /** The last session is gone; the ticks end. What is being opened tells of itself once it is open, if ever. */
  rest(): void {
    this.#sample = noLoad;
    this.#sounded = 0;
    this.#governor.idle();
    if (this.#told) this.#options.onLoad({ percent: 0, callPercent: this.#price.percent, full: false });
    this.#told = false;
  }

  /** Why no further session is opened, and counts it; undefined when one may be. */
  refusal(): { readonly cause: ExhaustedCause; readonly reason: string } | undefined {
    const refused = refusal(this.#burden, this.#options.limits);
    if (refused) this.#refusals++;
    return refused;
  }

  /**
   * Whether one more encoder may begin with FEC. Loss on the site's network reaches all calls at once: with FEC for all
   * of them a worker that was well loaded would be too late for everyone.
   */
  grantFec(now: number): boolean {
    const granted =
      this.#governor.state === "normal" &&
      (this.#sample.cpuPercent < calmPercent || this.#fecGrants.take(now));
    if (!granted) this.#fecRefusals++;
    return granted;
  }

  get statistics(): Pick<
    WorkerStatistics,
    | "cpuPercent"
    | "expectedPercent"
    | "full"
    | "tickLateMs"
    | "loadState"
    | "complexity"
    | "stepsDown"
    | "stepsUp"
    | "kernelDrops"
    | "admissionRefusals"
    | "fecRefusals"
  > {
    const { state: loadState, complexity, stepsDown, stepsUp } = this.#governor;
    const burden = this.#burden;
    return {
      cpuPercent: this.#sample.cpuPercent,
      expectedPercent: expectedPercent(burden),
      full: this.#isFull(burden),
      tickLateMs: this.#sample.worstLateMs,
      loadState,
      complexity,
      stepsDown,
      stepsUp,
      kernelDrops: this.#kernelDrops,
      admissionRefusals: this.#refusals,
      fecRefusals: this.#fecRefusals,
    };
  }

  get #burden(): Burden {
    const { state } = this.#governor;
    const count = this.#options.count(this.#sampledFrom, this.#sampledAt);
    const { percent: callPercent } = this.#price;
    const measured = this.#sample.cpuPercent;
    // What calls that are over took is free at once.
    const over = this.#sounded - count.sounding;
    const freed = over > 0 ? over * Math.min(callPercent, measured / this.#sounded) : 0;
    return { state, cpuPercent: measured - freed, callPercent, ...count };
  }

  #tell(): void {
    this.#told = true;
    const burden = this.#burden;
    this.#options.onLoad({
      percent: expectedPercent(burden),
      callPercent: burden.callPercent,
      full: this.#isFull(burden),
    });
  }

  #isFull(burden: Burden): boolean {
    const { limits, portsLeft } = this.#options;
    return refusal(burden, limits) !== undefined || portsLeft?.() === false;
  }

  #askKernel(now: number): void {
    this.#dropsAskedAt = now;
    void this.#options.readings.kernelDrops().then(
      (drops) => (this.#kernelDrops = drops ?? this.#kernelDrops),
      () => {}, // it then does not tell
    );
  }
}
