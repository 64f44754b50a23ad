const remembered = 8;
/** A longer round trip is none, but nonsense, ms. */
const longestMs = 60_000;

/**
 * The times of our last sender reports, so that the far end's answer gives the round trip (RFC 3550 6.4.1) by the
 * monotonic clock, whatever the wall clock does meanwhile, and only to reports that we sent.
 */
export class SentReports {
  readonly #middles = new Uint32Array(remembered);
  readonly #times = new Float64Array(remembered);
  #count = 0;

  /** `middle`: middle 32 bits of the report's NTP time. */
  add(middle: number, now: number): void {
    const slot = this.#count++ % remembered;
    this.#middles[slot] = middle;
    this.#times[slot] = now;
  }

  /** ms; undefined when `lastReport` is none of ours or the figures make no sense. */
  roundTrip(lastReport: number, delayMs: number, now: number): number | undefined {
    // Newest first: after a step of the wall clock two may have the same time.
    for (let back = 1; back <= Math.min(this.#count, remembered); back++) {
      const slot = (this.#count - back) % remembered;
      if (this.#middles[slot] !== lastReport) continue;
      const ms = now - (this.#times[slot] ?? 0) - delayMs;
      // Clocks of 1/65536 s, and a far end's that runs slow, may make a tiny negative.
      return ms < -5 || ms > longestMs ? undefined : Math.max(0, ms);
    }
    return undefined;
  }
}
