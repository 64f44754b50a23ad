import { expansion, type Law } from "./g711.ts";

/** Samples kept of what was heard last: the longest pitch period plus what is compared, at 8 kHz. */
const historyLength = 320;
/** Range of pitch periods looked for: 5 to 15 ms, 200 down to 66 Hz (as in G.711 appendix I). */
const shortestPeriod = 40;
const longestPeriod = 120;
/** Samples compared when looking for the period. */
const comparedSamples = 160;
/** Full loudness for the first 10 ms, then a straight fall to silence at 60 ms: longer guesses sound like a robot. */
const fullSamples = 80;
const fadedSamples = 480;
/** Samples over which the seam of the repeated period is blended. */
const seamSamples = 10;

/**
 * Waveform concealment for lost G.711: goes on with the last pitch period heard, fading out. The cost lies in
 * the first lost packet; in good times a packet costs one small copy.
 */
export class G711Concealer {
  readonly #codes = Buffer.alloc(historyLength);
  readonly #period = new Int16Array(longestPeriod);
  #heard = 0;
  #periodLength = 0;
  #made = 0;
  #law: Law;

  constructor(law: Law) {
    this.#law = law;
  }

  /** Notes `count` codes heard, from `offset` of `packet`. */
  heard(packet: Buffer, offset: number, count: number): void {
    this.#periodLength = 0;
    this.#made = 0;
    const kept = Math.min(count, historyLength);
    this.#codes.copyWithin(0, kept);
    packet.copy(this.#codes, historyLength - kept, offset + count - kept, offset + count);
    this.#heard = Math.min(historyLength, this.#heard + kept);
  }

  /** Makes up the next `count` samples into `pcm` from its start. */
  conceal(pcm: Int16Array, count: number): void {
    if (this.#heard < historyLength) {
      pcm.fill(0, 0, count);
      return;
    }
    if (this.#periodLength === 0) this.#findPeriod();
    for (let index = 0; index < count; index++) {
      const made = this.#made++;
      const gain =
        made < fullSamples ? 1 : Math.max(0, 1 - (made - fullSamples) / (fadedSamples - fullSamples));
      pcm[index] = (this.#period[made % this.#periodLength] ?? 0) * gain;
    }
  }

  #findPeriod(): void {
    const table = expansion[this.#law];
    const history = Int16Array.from(this.#codes, (code) => table[code] ?? 0);
    const length = bestPeriod(history);
    const start = historyLength - length;
    for (let index = 0; index < length; index++) this.#period[index] = history[start + index] ?? 0;
    // Blend the end of the period into what came before its start, so that the repetition has no click.
    for (let index = 0; index < seamSamples; index++) {
      const weight = (index + 1) / (seamSamples + 1);
      const at = length - seamSamples + index;
      this.#period[at] =
        (this.#period[at] ?? 0) * (1 - weight) + (history[start - seamSamples + index] ?? 0) * weight;
    }
    this.#periodLength = length;
  }
}

/** Of 320 samples at 8 kHz: the lag, 40 to 120, at which the end of `history` is most like what came before it (normalised correlation). */
export function bestPeriod(history: Int16Array): number {
  let best = longestPeriod;
  let bestLikeness = -Infinity;
  for (let lag = shortestPeriod; lag <= longestPeriod; lag++) {
    let product = 0;
    let energy = 1;
    for (let index = historyLength - comparedSamples; index < historyLength; index++) {
      const earlier = history[index - lag] ?? 0;
      product += (history[index] ?? 0) * earlier;
      energy += earlier * earlier;
    }
    const likeness = product / Math.sqrt(energy);
    if (likeness > bestLikeness) {
      bestLikeness = likeness;
      best = lag;
    }
  }
  return best;
}
