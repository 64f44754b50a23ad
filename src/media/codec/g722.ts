import { Band, saturate } from "./g722-band.ts";

/** Most octets taken at once: 60 ms. */
export const longestG722 = 480;

/** Decision levels of the lower band's quantizer of 60 steps, for a scale factor of 4096 (G.722 6.2, Q6). */
const decisions = Int16Array.from([
  0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219,
  1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
]);
/** Decision level of the higher band's quantizer of four steps (G.722 6.2, Q2). */
const highDecision = 564;

/** Codes of the lower band by interval, 1 to 30, of a negative and a positive difference (G.722 6.2, ILN, ILP). */
const lowNegative = Uint8Array.from({ length: 31 }, (_, interval) =>
  interval < 3 ? 64 - interval : 34 - interval,
);
const lowPositive = Uint8Array.from({ length: 31 }, (_, interval) => 62 - interval);

/** Lower band's inverse quantizer by the code's upper four bits, in 1/32768 (G.722 6.2, QM4). */
const inverse4 = Int16Array.from([
  0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0,
]);
/** Lower band's inverse quantizer by the whole code (G.722 6.2, QM6). */
const inverse6 = Int16Array.from([
  -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360,
  -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688,
  -1360, -1040, -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192,
  6576, 6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432,
  -136,
]);
/** Higher band's inverse quantizer (G.722 6.2, QM2). */
const inverse2 = Int16Array.from([-7408, -1616, 7408, 1616]);

/** What a code does to the logarithm of the scale factor: louder or quieter (G.722 6.2, WL and WH). */
const lowSteps = Int16Array.from([
  -60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60,
]);
const highSteps = Int16Array.from([798, -214, 798, -214]);

/** Samples a mirror filter looks back. */
const filterMemory = 22;
/** Limit of a decoded sub-band sample. */
const bandLimit = 16384;

/*
 * The 24 taps of the quadrature mirror filters (G.722 6.2, H), every second one; the other twelve are these
 * backwards. Written out, since they are most of the codec's work and this is half again as quick as a loop.
 */

/** Every second sample from `at`, weighed by the even taps. */
function evenTaps(samples: Int32Array, at: number): number {
  return (
    3 * (samples[at] ?? 0) -
    11 * (samples[at + 2] ?? 0) +
    12 * (samples[at + 4] ?? 0) +
    32 * (samples[at + 6] ?? 0) -
    210 * (samples[at + 8] ?? 0) +
    951 * (samples[at + 10] ?? 0) +
    3876 * (samples[at + 12] ?? 0) -
    805 * (samples[at + 14] ?? 0) +
    362 * (samples[at + 16] ?? 0) -
    156 * (samples[at + 18] ?? 0) +
    53 * (samples[at + 20] ?? 0) -
    11 * (samples[at + 22] ?? 0)
  );
}

/** Every second sample from `at`, weighed by the odd taps. */
function oddTaps(samples: Int32Array, at: number): number {
  return (
    -11 * (samples[at] ?? 0) +
    53 * (samples[at + 2] ?? 0) -
    156 * (samples[at + 4] ?? 0) +
    362 * (samples[at + 6] ?? 0) -
    805 * (samples[at + 8] ?? 0) +
    3876 * (samples[at + 10] ?? 0) +
    951 * (samples[at + 12] ?? 0) -
    210 * (samples[at + 14] ?? 0) +
    32 * (samples[at + 16] ?? 0) +
    12 * (samples[at + 18] ?? 0) -
    11 * (samples[at + 20] ?? 0) +
    3 * (samples[at + 22] ?? 0)
  );
}

function lowerBand(): Band {
  return new Band(8, 18432);
}

function higherBand(): Band {
  return new Band(10, 22528);
}

/** A sub-band sample within what its filter takes. */
function limit(value: number): number {
  return value > bandLimit - 1 ? bandLimit - 1 : value < -bandLimit ? -bandLimit : value;
}

/**
 * Encoder of ITU-T G.722 at 64 kbit/s, one octet for two samples at 16 kHz. At 8 kHz the sound is put into the lower
 * band as it is and the higher stays silent: no filter, no resampler.
 */
export class G722Encoder {
  readonly #low = lowerBand();
  readonly #high = higherBand();
  /** Sound to be split, behind the last 22 samples before it. */
  readonly #sound = new Int32Array(filterMemory + 2 * longestG722);

  /** Writes `count` octets (at most 480) of the first `2 * count` samples of `pcm` to `target` from `at`. */
  encode(pcm: Int16Array, count: number, target: Uint8Array, at: number): void {
    const sound = this.#sound;
    const length = 2 * count;
    for (let index = 0; index < length; index++) sound[filterMemory + index] = pcm[index] ?? 0;
    for (let octet = 0; octet < count; octet++) {
      const start = 2 * octet;
      const one = evenTaps(sound, start);
      const other = oddTaps(sound, start + 1);
      target[at + octet] = this.#code((one + other) >> 14, (other - one) >> 14);
    }
    sound.copyWithin(0, length, length + filterMemory);
  }

  /** The same of `count` samples at 8 kHz. */
  encodeNarrow(pcm: Int16Array, count: number, target: Uint8Array, at: number): void {
    for (let index = 0; index < count; index++) target[at + index] = this.#code((pcm[index] ?? 0) >> 1, 0);
  }

  #code(low: number, high: number): number {
    return (this.#codeHigh(high) << 6) | this.#codeLow(low);
  }

  #codeLow(sample: number): number {
    const band = this.#low;
    const { scale } = band;
    const difference = saturate(sample - band.predicted);
    const magnitude = difference >= 0 ? difference : -(difference + 1);
    // The first decision level above the magnitude, found by halving.
    let interval = 1;
    for (let above = 30; interval < above;) {
      const middle = (interval + above) >> 1;
      if (magnitude < ((decisions[middle] ?? 0) * scale) >> 12) above = middle;
      else interval = middle + 1;
    }
    const code = (difference < 0 ? lowNegative[interval] : lowPositive[interval]) ?? 0;
    const rough = code >> 2;
    band.update((scale * (inverse4[rough] ?? 0)) >> 15, lowSteps[rough] ?? 0);
    return code;
  }

  #codeHigh(sample: number): number {
    const band = this.#high;
    const { scale } = band;
    const difference = saturate(sample - band.predicted);
    const magnitude = difference >= 0 ? difference : -(difference + 1);
    const loud = magnitude >= (highDecision * scale) >> 12;
    const code = difference < 0 ? (loud ? 0 : 1) : loud ? 2 : 3;
    band.update((scale * (inverse2[code] ?? 0)) >> 15, highSteps[code] ?? 0);
    return code;
  }
}

/** Decoder of ITU-T G.722 at 64 kbit/s (mode 1). Any octets are some sound: nothing is malformed. */
export class G722Decoder {
  readonly #low = lowerBand();
  readonly #high = higherBand();
  /** Sums and differences of the sub-bands, behind those of the last eleven octets. */
  readonly #bands = new Int32Array(filterMemory + 2 * longestG722);

  /** Decodes `count` octets (at most 480) from `offset` to `2 * count` samples at 16 kHz at the start of `pcm`. */
  decode(packet: Uint8Array, offset: number, count: number, pcm: Int16Array): void {
    const bands = this.#bands;
    for (let octet = 0; octet < count; octet++) {
      const code = packet[offset + octet] ?? 0;
      const low = this.#lowSample(code & 0x3f);
      const high = this.#highSample(code >> 6);
      const start = 2 * octet;
      bands[filterMemory + start] = low + high;
      bands[filterMemory + start + 1] = low - high;
      pcm[start] = saturate(oddTaps(bands, start + 1) >> 11);
      pcm[start + 1] = saturate(evenTaps(bands, start) >> 11);
    }
    bands.copyWithin(0, 2 * count, 2 * count + filterMemory);
  }

  /** Decodes `count` octets to as many samples at 8 kHz: the lower band alone. */
  decodeNarrow(packet: Uint8Array, offset: number, count: number, pcm: Int16Array): void {
    for (let octet = 0; octet < count; octet++)
      pcm[octet] = saturate(this.#lowSample((packet[offset + octet] ?? 0) & 0x3f) << 1);
  }

  #lowSample(code: number): number {
    const band = this.#low;
    const { scale } = band;
    const sample = limit(band.predicted + ((scale * (inverse6[code] ?? 0)) >> 15));
    const rough = code >> 2;
    band.update((scale * (inverse4[rough] ?? 0)) >> 15, lowSteps[rough] ?? 0);
    return sample;
  }

  #highSample(code: number): number {
    const band = this.#high;
    const difference = (band.scale * (inverse2[code] ?? 0)) >> 15;
    const sample = limit(band.predicted + difference);
    band.update(difference, highSteps[code] ?? 0);
    return sample;
  }
}
