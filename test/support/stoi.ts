import { resample } from "./resample.ts";

/**
 * Short-time objective intelligibility: Taal, Hendriks, Heusdens, Jensen, "An Algorithm for Intelligibility Prediction
 * of Time-Frequency Weighted Noisy Speech", IEEE TASLP 19(7), 2011. Figures and names as there.
 */
const rate = 10_000;
const frameLength = 256;
const hop = 128;
const fftLength = 512;
/** One-third octave bands and the centre of the lowest, Hz. */
const bands = 15;
const lowestCentre = 150;
/** Frames of one intermediate measure: 384 ms. */
const segmentFrames = 30;
/** Lower signal-to-distortion bound, dB. */
const lowerBound = -15;
/** Frames this far below the loudest clean one are silence, dB. */
const dynamicRange = 40;
const tiny = 1e-12;

const hann = Float64Array.from(
  { length: frameLength },
  (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (index + 1)) / (frameLength + 1)),
);

const bits = Math.log2(fftLength);
const reversed = Uint16Array.from({ length: fftLength }, (_, index) => {
  let turned = 0;
  for (let bit = 0; bit < bits; bit++) turned |= ((index >>> bit) & 1) << (bits - 1 - bit);
  return turned;
});
const cosines = Float64Array.from({ length: fftLength / 2 }, (_, at) =>
  Math.cos((-2 * Math.PI * at) / fftLength),
);
const sines = Float64Array.from({ length: fftLength / 2 }, (_, at) =>
  Math.sin((-2 * Math.PI * at) / fftLength),
);

/** Bins [from, to) of each band: those nearest to the band's edges. */
const bandEdges = Array.from({ length: bands }, (_, band) => {
  const centre = lowestCentre * 2 ** (band / 3);
  const bin = (hertz: number): number => Math.min(fftLength / 2, Math.round((hertz * fftLength) / rate));
  return [bin(centre * 2 ** (-1 / 6)), bin(centre * 2 ** (1 / 6))] as const;
});

/** Power of bins 0 to 256 of a frame of real samples, zero-padded to 512 (radix-2). */
export function powerSpectrum(frame: Float64Array): Float64Array {
  const real = new Float64Array(fftLength);
  const imaginary = new Float64Array(fftLength);
  for (let index = 0; index < frame.length; index++) real[reversed[index] ?? 0] = frame[index] ?? 0;
  for (let half = 1; half < fftLength; half *= 2) {
    const stride = fftLength / 2 / half;
    for (let pair = 0; pair < half; pair++) {
      const cosine = cosines[pair * stride] ?? 0;
      const sine = sines[pair * stride] ?? 0;
      for (let low = pair; low < fftLength; low += 2 * half) {
        const high = low + half;
        const r = (real[high] ?? 0) * cosine - (imaginary[high] ?? 0) * sine;
        const i = (real[high] ?? 0) * sine + (imaginary[high] ?? 0) * cosine;
        real[high] = (real[low] ?? 0) - r;
        imaginary[high] = (imaginary[low] ?? 0) - i;
        real[low] = (real[low] ?? 0) + r;
        imaginary[low] = (imaginary[low] ?? 0) + i;
      }
    }
  }
  const power = new Float64Array(fftLength / 2 + 1);
  for (let bin = 0; bin < power.length; bin++)
    power[bin] = (real[bin] ?? 0) ** 2 + (imaginary[bin] ?? 0) ** 2;
  return power;
}

function windowed(samples: Float64Array, start: number): Float64Array {
  const frame = new Float64Array(frameLength);
  for (let index = 0; index < frameLength; index++)
    frame[index] = (hann[index] ?? 0) * (samples[start + index] ?? 0);
  return frame;
}

/** Where the frames start in which the clean sound is not silent. */
function speakingFrames(clean: Float64Array): number[] {
  const starts: number[] = [];
  for (let start = 0; start + frameLength <= clean.length; start += hop) starts.push(start);
  const levels = starts.map((start) => {
    const energy = windowed(clean, start).reduce((sum, value) => sum + value * value, 0);
    return 10 * Math.log10(energy + tiny);
  });
  const least = levels.reduce((most, level) => Math.max(most, level), -Infinity) - dynamicRange;
  return starts.filter((_, index) => (levels[index] ?? -Infinity) > least);
}

/** Only those frames, overlapped and added again. */
function joined(samples: Float64Array, kept: readonly number[]): Float64Array {
  const out = new Float64Array(Math.max(0, kept.length - 1) * hop + frameLength);
  kept.forEach((start, index) => {
    windowed(samples, start).forEach((value, at) => {
      out[index * hop + at] = (out[index * hop + at] ?? 0) + value;
    });
  });
  return out;
}

/** Magnitude of each band in each frame: `bands` rows. */
function bandMagnitudes(samples: Float64Array): Float64Array[] {
  const frames = Math.max(0, Math.floor((samples.length - frameLength) / hop) + 1);
  const rows = Array.from({ length: bands }, () => new Float64Array(frames));
  for (let frame = 0; frame < frames; frame++) {
    const power = powerSpectrum(windowed(samples, frame * hop));
    rows.forEach((row, band) => {
      const [from, to] = bandEdges[band] ?? [0, 0];
      let sum = 0;
      for (let bin = from; bin < to; bin++) sum += power[bin] ?? 0;
      row[frame] = Math.sqrt(sum);
    });
  }
  return rows;
}

/**
 * Correlation of 384 ms of a band up to frame `end`, the heard one's level matched and its errors bounded. Plain loops:
 * it is asked for some 15,000 times per ten seconds.
 */
function likeness(clean: Float64Array, heard: Float64Array, end: number): number {
  const start = end - segmentFrames;
  let cleanEnergy = 0;
  let heardEnergy = 0;
  for (let at = start; at < end; at++) {
    cleanEnergy += (clean[at] ?? 0) ** 2;
    heardEnergy += (heard[at] ?? 0) ** 2;
  }
  const gain = Math.sqrt(cleanEnergy / (heardEnergy + tiny));
  const most = 1 + 10 ** (-lowerBound / 20);
  let x1 = 0;
  let y1 = 0;
  let x2 = 0;
  let y2 = 0;
  let xy = 0;
  for (let at = start; at < end; at++) {
    const x = clean[at] ?? 0;
    const y = Math.min(gain * (heard[at] ?? 0), most * x);
    x1 += x;
    y1 += y;
    x2 += x * x;
    y2 += y * y;
    xy += x * y;
  }
  const n = segmentFrames;
  const spread = Math.sqrt(Math.max(0, x2 - (x1 * x1) / n) * Math.max(0, y2 - (y1 * y1) / n));
  return (xy - (x1 * y1) / n) / (spread + tiny);
}

interface Prepared {
  readonly kept: readonly number[];
  readonly rows: readonly Float64Array[];
}

/** The clean side's half of the work, by sound: many are compared with the same one. */
const prepared = new WeakMap<object, Prepared>();

function at10k(samples: ArrayLike<number>, length: number, sampleRate: 8000 | 10000): Float64Array {
  const part = new Float64Array(length);
  for (let index = 0; index < length; index++) part[index] = samples[index] ?? 0;
  return sampleRate === rate ? part : resample(part, 5, 4);
}

function prepare(clean: ArrayLike<number>, sampleRate: 8000 | 10000): Prepared {
  const x = at10k(clean, clean.length, sampleRate);
  const kept = speakingFrames(x);
  return { kept, rows: bandMagnitudes(joined(x, kept)) };
}

/**
 * Intelligibility of `heard` against `clean`, sample by sample aligned, `sampleRate` 8000 or 10000 Hz: about 0
 * (nothing in common) to 1. What `heard` is shorter is silence; neither array may be changed later. NaN where there
 * is less than 0.4 s of speech.
 */
export function stoi(
  clean: Int16Array | Float64Array,
  heard: ArrayLike<number>,
  sampleRate: 8000 | 10000 = 8000,
): number {
  const { kept, rows } = prepared.get(clean) ?? prepare(clean, sampleRate);
  prepared.set(clean, { kept, rows });
  const heardRows = bandMagnitudes(joined(at10k(heard, clean.length, sampleRate), kept));
  let sum = 0;
  let count = 0;
  for (let end = segmentFrames; end <= (rows[0]?.length ?? 0); end++)
    rows.forEach((row, band) => {
      sum += likeness(row, heardRows[band] ?? row, end);
      count++;
    });
  return count === 0 ? Number.NaN : sum / count;
}
