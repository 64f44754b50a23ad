/** To 16 bits, as every sum of the standard is. */
export function saturate(value: number): number {
  return value > 32767 ? 32767 : value < -32768 ? -32768 : value;
}

/** Mantissas of the quantizer's scale factor, 32 steps of one octave (G.722 6.2, ILB). */
const scaleMantissas = Int16Array.from([
  2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896, 2960,
  3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
]);

const zeros = 6;
/** Limit of the second pole, 0.75 in 1/16384 (G.722 3.6.3). */
const secondPoleLimit = 12288;
/** What both poles together stay below: 1 - 2^-4 (G.722 3.6.3). */
const polesLimit = 15360;

/**
 * What encoder and decoder of one sub-band share: scale factor of the adaptive quantizer and the predictor of two
 * poles and six zeros (G.722 3.5, 3.6; the names in brackets are those of its clause 6.2). Integer arithmetic.
 */
export class Band {
  /** Scale factor of the quantizer [DET]. */
  scale: number;
  /** Predicted sample [S]. */
  predicted = 0;
  readonly #octaveShift: number;
  readonly #logarithmLimit: number;
  #logarithm = 0;
  /** Prediction by the zeros alone [SZ]. */
  #byZeros = 0;
  #pole1 = 0;
  #pole2 = 0;
  /** Twice the last rebuilt sample. */
  #doubled1 = 0;
  #partial1 = 0;
  #partial2 = 0;
  /** Last six differences [D], twice and within 16 bits as the filter takes them, and their weights [B]. */
  readonly #doubled = new Int32Array(zeros);
  readonly #weights = new Int32Array(zeros);

  /** `octaveShift` and `logarithmLimit`: 8 and 18432 for the lower band, 10 and 22528 for the higher. */
  constructor(octaveShift: number, logarithmLimit: number) {
    this.#octaveShift = octaveShift;
    this.#logarithmLimit = logarithmLimit;
    this.scale = this.#linear();
  }

  /** Takes the quantized difference of this sample and the step of its code, and predicts the next sample. */
  update(difference: number, step: number): void {
    const next = ((this.#logarithm * 127) >> 7) + step;
    this.#logarithm = next < 0 ? 0 : next > this.#logarithmLimit ? this.#logarithmLimit : next;
    this.scale = this.#linear();
    const rebuilt = saturate(this.predicted + difference);
    const partial = saturate(this.#byZeros + difference);
    this.#adaptPoles(partial);
    this.#byZeros = this.#adaptZeros(difference);
    const doubledNow = saturate(rebuilt << 1);
    const byPole1 = Math.imul(this.#pole1, doubledNow) >> 15;
    const byPole2 = Math.imul(this.#pole2, this.#doubled1) >> 15;
    this.#doubled1 = doubledNow;
    this.predicted = saturate(saturate(byPole1 + byPole2) + this.#byZeros);
  }

  /** Scale factor of the logarithm [SCALEL, SCALEH]. */
  #linear(): number {
    const mantissa = scaleMantissas[(this.#logarithm >> 6) & 31] ?? 0;
    const shift = this.#octaveShift - (this.#logarithm >> 11);
    return (shift < 0 ? mantissa << -shift : mantissa >> shift) << 2;
  }

  /** [UPPOL2, UPPOL1]: sign-sign adaption with leakage, kept where the filter is stable. */
  #adaptPoles(partial: number): void {
    // 0 where the signs are alike, -1 where not; branches on signs are guessed wrong half of the time.
    const unlike1 = (partial ^ this.#partial1) >> 31;
    const unlike2 = (partial ^ this.#partial2) >> 31;
    this.#partial2 = this.#partial1;
    this.#partial1 = partial;
    const turned = saturate((saturate(this.#pole1 << 2) ^ ~unlike1) - ~unlike1);
    let pole2 = ((128 ^ unlike2) - unlike2 + (turned >> 7) + (Math.imul(this.#pole2, 32512) >> 15)) | 0;
    pole2 = pole2 > secondPoleLimit ? secondPoleLimit : pole2 < -secondPoleLimit ? -secondPoleLimit : pole2;
    const pole1 = ((192 ^ unlike1) - unlike1 + (Math.imul(this.#pole1, 32640) >> 15)) | 0;
    const limit = polesLimit - pole2;
    this.#pole2 = pole2;
    this.#pole1 = pole1 > limit ? limit : pole1 < -limit ? -limit : pole1;
  }

  /**
   * [UPZERO, FILTEZ] in one pass: adapts each weight by the older difference, then predicts with the moved-on ones.
   * No weight can leave 16 bits: 32767 * 32640 / 32768 + 128 is the most.
   */
  #adaptZeros(difference: number): number {
    const doubled = this.#doubled;
    const weights = this.#weights;
    const gain = difference === 0 ? 0 : 128;
    let sum = 0;
    let moved = saturate(difference << 1);
    for (let index = 0; index < zeros; index++) {
      const old = doubled[index] ?? 0;
      const unlike = (old ^ difference) >> 31;
      const weight = (gain ^ unlike) - unlike + (Math.imul(weights[index] ?? 0, 32640) >> 15);
      weights[index] = weight;
      doubled[index] = moved;
      sum += Math.imul(weight, moved) >> 15;
      moved = old;
    }
    return saturate(sum);
  }
}
