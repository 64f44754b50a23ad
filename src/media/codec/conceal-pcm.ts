import { bestPeriod } from "./conceal.ts";

/** Lengths at 8 kHz, as in `G711Concealer`; at 16 kHz all are twice that. */
const historyLength = 320;
const longestPeriod = 120;
const fullSamples = 80;
const fadedSamples = 480;
const seamSamples = 10;

/**
 * Waveform concealment of decoded sound, as `G711Concealer` does it, at 8 or 16 kHz: for codecs that have none of their
 * own. In good times a packet costs one copy.
 */
export class PcmConcealer {
  /** Samples for each one at 8 kHz. */
  readonly #scale: 1 | 2;
  readonly #history: Int16Array;
  readonly #coarse = new Int16Array(historyLength);
  readonly #period: Int16Array;
  #heard = 0;
  #periodLength = 0;
  #made = 0;

  constructor(rate: 8000 | 16000) {
    this.#scale = rate === 8000 ? 1 : 2;
    this.#history = new Int16Array(historyLength * this.#scale);
    this.#period = new Int16Array(longestPeriod * this.#scale);
  }

  /** Notes the first `count` samples of `pcm`, which were heard. */
  heard(pcm: Int16Array, count: number): void {
    const history = this.#history;
    this.#periodLength = 0;
    this.#made = 0;
    const kept = Math.min(count, history.length);
    history.copyWithin(0, kept);
    const shift = count - history.length;
    for (let at = history.length - kept; at < history.length; at++) history[at] = pcm[at + shift] ?? 0;
    this.#heard = Math.min(history.length, this.#heard + kept);
  }

  /** Makes up the next `count` samples into `pcm` from its start. */
  conceal(pcm: Int16Array, count: number): void {
    if (this.#heard < this.#history.length) {
      pcm.fill(0, 0, count);
      return;
    }
    if (this.#periodLength === 0) this.#findPeriod();
    const full = fullSamples * this.#scale;
    const faded = fadedSamples * this.#scale;
    for (let index = 0; index < count; index++) {
      const made = this.#made++;
      const gain = made < full ? 1 : Math.max(0, 1 - (made - full) / (faded - full));
      pcm[index] = (this.#period[made % this.#periodLength] ?? 0) * gain;
    }
  }

  /** The period is looked for in every second sample only, where there are twice as many: a quarter of the work. */
  #findPeriod(): void {
    const history = this.#history;
    const scale = this.#scale;
    for (let index = 0; index < historyLength; index++) this.#coarse[index] = history[index * scale] ?? 0;
    const length = bestPeriod(this.#coarse) * scale;
    const start = history.length - length;
    for (let index = 0; index < length; index++) this.#period[index] = history[start + index] ?? 0;
    // Blend the end of the period into what came before its start, so that the repetition has no click.
    const seam = seamSamples * scale;
    for (let index = 0; index < seam; index++) {
      const weight = (index + 1) / (seam + 1);
      const at = length - seam + index;
      this.#period[at] =
        (this.#period[at] ?? 0) * (1 - weight) + (history[start - seam + index] ?? 0) * weight;
    }
    this.#periodLength = length;
  }
}
