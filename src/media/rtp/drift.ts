import { timestampDistance } from "./packet.ts";

/** Of each window only the packet that was quickest under way counts: the others waited somewhere. ms */
const windowMs = 5000;
/** Fewer packets than this in a window and its quickest may have waited too. */
const leastPackets = 5;
/** Windows looked at: three minutes, the older half against the younger. */
const windowCount = 36;
/** Windows from which a drift is told: one minute. */
const leastWindows = 12;
/** A move from one window to the next that no clock makes is a step of the path's delay. ms */
const stepMs = 6;
/** Timestamps that move away from the time passed by more than this are a new beginning, ms. */
const jumpMs = 1000;
/** No crystal is so wrong, parts per million: what seems so is a path whose delay slowly moves. */
const mostPpm = 500;

/**
 * Measures how fast a source's clock runs against ours, from when its packets arrive: the least delay of each window,
 * the median slope over minutes. Jitter lies above the least delay, a step of the path's delay is taken out.
 */
export class DriftMeter {
  #started = false;
  #timestamp = 0;
  #at = 0;
  /** Time by the source's clock since it began, ms. */
  #sourceMs = 0;
  #beganAt = 0;
  #windowEnd = 0;
  #packets = 0;
  #least = Infinity;
  #leastAt = 0;
  readonly #times = new Float64Array(windowCount);
  readonly #delays = new Float64Array(windowCount);
  readonly #slopes = new Float64Array(windowCount / 2);
  #windows = 0;
  /** Sum of the steps taken out, ms. */
  #steps = 0;
  #slope = 0;
  #known = false;
  #aheadMs = 0;

  /** Parts per million by which the source's clock is faster than ours; undefined in the first minute. */
  get ppm(): number | undefined {
    return this.#known ? -this.#slope * 1e6 : undefined;
  }

  /** By how much the source's clock has run ahead of ours since the beginning, ms; never goes by jitter or steps. */
  get aheadMs(): number {
    return this.#aheadMs;
  }

  /** Another source: what was measured is void, what it ran ahead stays. */
  restart(): void {
    this.#started = false;
  }

  /** Takes an audio packet's RTP timestamp and when it arrived, ms; `clockRate` in Hz. */
  take(timestamp: number, at: number, clockRate: number): void {
    const passedMs = (timestampDistance(timestamp, this.#timestamp) * 1000) / clockRate;
    if (!this.#started || Math.abs(passedMs - (at - this.#at)) > jumpMs) this.#begin(at);
    else this.#sourceMs += passedMs;
    this.#timestamp = timestamp;
    this.#at = at;
    if (at >= this.#windowEnd) this.#closeWindow(at);
    const delay = at - this.#beganAt - this.#sourceMs;
    this.#packets++;
    if (delay >= this.#least) return;
    this.#least = delay;
    this.#leastAt = at;
  }

  #begin(at: number): void {
    this.#started = true;
    this.#known = false;
    this.#beganAt = at;
    this.#sourceMs = 0;
    this.#windows = 0;
    this.#steps = 0;
    this.#slope = 0;
    this.#openWindow(at);
  }

  #openWindow(at: number): void {
    this.#windowEnd = at + windowMs;
    this.#packets = 0;
    this.#least = Infinity;
  }

  #closeWindow(at: number): void {
    if (this.#packets >= leastPackets) this.#note(this.#leastAt, this.#least);
    this.#openWindow(at);
  }

  #note(at: number, delay: number): void {
    const last = (this.#windows - 1) % windowCount;
    const passed = at - (this.#times[last] ?? at);
    if (this.#windows > 0) {
      const moved = delay - this.#steps - (this.#delays[last] ?? 0) - this.#slope * passed;
      if (Math.abs(moved) > stepMs) this.#steps += moved;
    }
    const slot = this.#windows++ % windowCount;
    this.#times[slot] = at;
    this.#delays[slot] = delay - this.#steps;
    if (this.#windows < leastWindows) return;
    this.#slope = this.#medianSlope();
    const counted = this.#known ? passed : at - this.#beganAt;
    this.#known = true;
    if (Math.abs(this.#slope) * 1e6 <= mostPpm) this.#aheadMs -= this.#slope * counted;
  }

  /** Median of the slopes from each window of the older half to its counterpart in the younger. */
  #medianSlope(): number {
    const count = Math.min(this.#windows, windowCount);
    const half = count >>> 1;
    const first = this.#windows - count;
    for (let index = 0; index < half; index++) {
      const older = (first + index) % windowCount;
      const younger = (first + index + count - half) % windowCount;
      const rise = (this.#delays[younger] ?? 0) - (this.#delays[older] ?? 0);
      this.#slopes[index] = rise / ((this.#times[younger] ?? 0) - (this.#times[older] ?? 0));
    }
    const sorted = this.#slopes.subarray(0, half).sort();
    return ((sorted[(half - 1) >>> 1] ?? 0) + (sorted[half >>> 1] ?? 0)) / 2;
  }
}
