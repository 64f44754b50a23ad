/** Range of the delay, ms: less than a tick is none, and beyond the other end talking becomes a strain (G.114). */
const leastMs = 20;
const mostMs = 120;
/** Share of packets that are to be there in time. */
const inTime = 0.97;
/** Steps in which lateness is counted, and how many of them there are. */
const stepMs = 5;
const stepCount = 40;
/** Each packet counts for so much less than the one after it: half of the weight lies in the last seven seconds. */
const fading = 0.998;
const mostWeight = 1e12;
/** The quickest packet of the last five to ten seconds is what the others are late against, ms. */
const windowMs = 5000;
/** How fast the delay shrinks, ms per second. */
const shrinkPerSecond = 5;

/**
 * How long packets should be kept before they are played, so that nearly all are there in time: as late as all but 3 %
 * of the last seconds' were. Grows at once with a packet that is later, shrinks slowly.
 */
export class JitterDelay {
  /** ms, 20 to 120. */
  targetMs = leastMs;
  readonly #counts = new Float64Array(stepCount);
  #total = 0;
  #weight = 1;
  #least = Infinity;
  #leastBefore = Infinity;
  #windowEnd = -1;
  #shrunkAt = 0;

  /** Our time less the source's at which the quickest packet arrived, ms. */
  get baseMs(): number {
    return Math.min(this.#least, this.#leastBefore);
  }

  /** Another source, with a clock of its own; what is known of the path stays. */
  restart(): void {
    this.#least = Infinity;
    this.#leastBefore = Infinity;
    this.#windowEnd = -1;
  }

  /** Takes a packet's arrival less its source's time, ms. */
  take(transitMs: number, now: number): void {
    if (now >= this.#windowEnd) {
      this.#leastBefore = this.#windowEnd < 0 ? Infinity : this.#least;
      this.#least = Infinity;
      if (this.#windowEnd < 0) this.#shrunkAt = now;
      this.#windowEnd = now + windowMs;
    }
    if (transitMs < this.#least) this.#least = transitMs;
    const late = transitMs - this.baseMs;
    this.#count(late);
    if (late > this.targetMs) this.targetMs = Math.min(mostMs, Math.ceil(late / stepMs) * stepMs);
    else if (now - this.#shrunkAt >= 1000) {
      this.#shrunkAt = now;
      this.targetMs = Math.max(this.targetMs - shrinkPerSecond, this.#percentile());
    }
  }

  #count(late: number): void {
    const step = Math.min(stepCount - 1, Math.floor(late / stepMs));
    this.#counts[step] = (this.#counts[step] ?? 0) + this.#weight;
    this.#total += this.#weight;
    this.#weight /= fading;
    if (this.#weight < mostWeight) return;
    for (let index = 0; index < stepCount; index++)
      this.#counts[index] = (this.#counts[index] ?? 0) / this.#weight;
    this.#total /= this.#weight;
    this.#weight = 1;
  }

  #percentile(): number {
    let counted = 0;
    let step = 0;
    while (step < stepCount && counted < this.#total * inTime) counted += this.#counts[step++] ?? 0;
    return Math.min(mostMs, Math.max(leastMs, step * stepMs));
  }
}
