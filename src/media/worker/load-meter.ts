/** Load of a worker's thread over one interval. */
export interface LoadSample {
  /** CPU time of the thread, percent of one core. */
  readonly cpuPercent: number;
  /** A quarter of the ticks came so late or later, ms: one stall, however long, does not show in it. */
  readonly usualLateMs: number;
  /** One tick in a hundred came so late or later, ms. */
  readonly worstLateMs: number;
}

/** Time between two samples, ms. */
export const sampleMs = 1000;
/** Ticks kept of one interval: one each 20 ms, and those that make up for a stall. */
const mostTicks = 64;
const usual = 0.75;
const worst = 0.99;

/**
 * Measures CPU time, not the event loop's utilization, which takes rest for work where the thread waits in a blocking
 * call. Lateness of the tick tells what CPU time cannot: a thread that is kept from running by others or by a quota.
 */
export class LoadMeter {
  readonly #cpuMs: () => number;
  readonly #late = new Float64Array(mostTicks);
  #ticks = 0;
  #since = 0;
  #cpuSince = 0;

  /** `cpuMs`: CPU time the thread has used so far, user and system, ms. */
  constructor(cpuMs: () => number) {
    this.#cpuMs = cpuMs;
  }

  /** Begins anew: what was before `now` does not count. */
  start(now: number): void {
    this.#ticks = 0;
    this.#since = now;
    this.#cpuSince = this.#cpuMs();
  }

  /** Every tick. Returns a sample when an interval is over. */
  tick(now: number, lateMs: number): LoadSample | undefined {
    if (this.#ticks < mostTicks) this.#late[this.#ticks++] = lateMs;
    const elapsed = now - this.#since;
    if (elapsed < sampleMs) return undefined;
    const cpu = this.#cpuMs();
    const late = this.#late.subarray(0, this.#ticks).sort();
    const sample = {
      cpuPercent: ((cpu - this.#cpuSince) / elapsed) * 100,
      usualLateMs: quantile(late, usual),
      worstLateMs: quantile(late, worst),
    };
    this.#ticks = 0;
    this.#since = now;
    this.#cpuSince = cpu;
    return sample;
  }
}

/** `sorted` holds at least one value. */
function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
