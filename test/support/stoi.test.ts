import { describe, expect, it } from "vitest";
import { resample, toPcm } from "./resample.ts";
import { seededFraction } from "./seeded.ts";
import { fromCodes, toCodes } from "./sound.ts";
import { speech } from "./speech.ts";
import { powerSpectrum, stoi } from "./stoi.ts";

/** `clean` with white noise, `snr` dB below it. */
function noisy(clean: ArrayLike<number>, snr: number, seed = 5): Float64Array {
  const random = seededFraction(seed);
  const noise = Float64Array.from({ length: clean.length }, () => random() + random() + random() - 1.5);
  const energy = (samples: ArrayLike<number>): number =>
    Array.from(samples).reduce((sum, value) => sum + value * value, 0);
  const gain = Math.sqrt(energy(clean) / energy(noise) / 10 ** (snr / 10));
  return noise.map((value, index) => (clean[index] ?? 0) + gain * value);
}

describe("changing the sampling rate", () => {
  it.each([
    [8000, 5, 4, 1000],
    [8000, 5, 4, 3400],
    [8000, 6, 1, 3000],
    [48_000, 1, 6, 3000],
  ])("from %d Hz by %d/%d keeps a tone of %d Hz in place and makes no other", (from, up, down, hertz) => {
    const rate = (from * up) / down;
    const sine = (at: number) => (_: unknown, index: number) =>
      8000 * Math.sin((2 * Math.PI * hertz * index) / at);
    const made = resample(Array.from({ length: from / 5 }, sine(from)), up, down);
    const wanted = Array.from({ length: rate / 5 }, sine(rate));
    expect(made).toHaveLength(wanted.length);
    const edge = Math.round(rate / 50);
    const error = wanted
      .slice(edge, -edge)
      .reduce((sum, value, index) => sum + (value - (made[index + edge] ?? 0)) ** 2, 0);
    const signal = wanted.slice(edge, -edge).reduce((sum, value) => sum + value * value, 0);
    expect(10 * Math.log10(signal / error)).toBeGreaterThan(55);
  });

  it("lets nothing through that the lower rate cannot hold", () => {
    const high = Array.from(
      { length: 4800 },
      (_, index) => 8000 * Math.sin((2 * Math.PI * 5000 * index) / 48_000),
    );
    const made = resample(high, 1, 6).slice(100, -100);
    expect(Math.max(...made.map(Math.abs))).toBeLessThan(20);
  });

  it("cuts at full scale", () => {
    expect(toPcm([1e6, -1e6, 0.4])).toEqual(Int16Array.from([32_767, -32_768, 0]));
  });
});

describe("short-time objective intelligibility", () => {
  const clean = speech(6, 3);

  it("of a sound with itself is 1, whatever its level and sampling rate", () => {
    expect(stoi(clean, clean)).toBeCloseTo(1, 9);
    expect(
      stoi(
        clean,
        clean.map((sample) => sample / 4),
      ),
    ).toBeCloseTo(1, 2);
    const at10k = resample(clean, 5, 4);
    expect(stoi(at10k, at10k, 10_000)).toBeCloseTo(1, 9);
  });

  it("is what another implementation makes of the same sound (pystoi's code on numpy, offline)", () => {
    const at10k = resample(clean, 5, 4);
    const reference: [snr: number, value: number][] = [
      [-10, 0.455_062],
      [0, 0.620_023],
      [10, 0.831_179],
      [25, 0.972_107],
    ];
    const random = seededFraction(5);
    const energy = at10k.reduce((sum, value) => sum + value * value, 0);
    for (const [snr, value] of reference) {
      const noise = Float64Array.from(at10k, () => random() + random() + random() - 1.5);
      const gain = Math.sqrt(
        energy / noise.reduce((sum, sample) => sum + sample * sample, 0) / 10 ** (snr / 10),
      );
      const heard = at10k.map((sample, index) => sample + gain * (noise[index] ?? 0));
      // They differ by whether the last frame counts.
      expect(Math.abs(stoi(at10k, heard, 10_000) - value)).toBeLessThan(0.001);
    }
  });

  it("rises with the signal-to-noise ratio", () => {
    const values = [-15, -5, 0, 5, 10, 15, 20, 30].map((snr) => stoi(clean, noisy(clean, snr)));
    values.slice(1).forEach((value, index) => expect(value).toBeGreaterThan((values[index] ?? 1) + 0.01));
    expect(values.at(-1)).toBeGreaterThan(0.97);
  });

  it("is small where there is nothing in common: noise, silence, another speaker", () => {
    // Not zero: the bound on errors lets the clean envelope through where it is near zero, here as in the original.
    expect(stoi(clean, noisy(new Int16Array(clean.length).fill(1), -60))).toBeLessThan(0.4);
    expect(stoi(clean, new Int16Array(clean.length))).toBeLessThan(0.05);
    expect(stoi(clean, speech(6, 4))).toBeLessThan(0.3);
  });

  it("is hurt by a delay of one frame and hardly by a telephone's codec", () => {
    const later = new Int16Array(clean.length);
    later.set(clean.subarray(0, -160), 160);
    expect(stoi(clean, later)).toBeLessThan(0.9);
    expect(stoi(clean, fromCodes(toCodes(clean, "pcmu"), "pcmu"))).toBeGreaterThan(0.99);
  });

  it("of less than a measure's length is not a number", () => {
    expect(stoi(clean.subarray(0, 2000), clean.subarray(0, 2000))).toBeNaN();
  });
});

describe("the spectrum it stands on", () => {
  it("is that of the discrete Fourier transform, and keeps the energy (Parseval)", () => {
    const frame = Float64Array.from({ length: 256 }, (_, index) =>
      Math.cos((2 * Math.PI * 40 * index) / 512),
    );
    const power = powerSpectrum(frame);
    expect(power).toHaveLength(257);
    expect(power.indexOf(Math.max(...power))).toBe(40);
    const total =
      power.reduce((sum, value, bin) => sum + (bin === 0 || bin === 256 ? value : 2 * value), 0) / 512;
    expect(total).toBeCloseTo(
      frame.reduce((sum, value) => sum + value * value, 0),
      6,
    );
  });
});

describe("the speech the sound tests speak", () => {
  it("has pauses, a speech's level, no clipping, and differs from one seed to the next", () => {
    for (const seed of [1, 2, 3, 4]) {
      const sound = speech(10, seed);
      const frames = Array.from({ length: 500 }, (_, frame) =>
        Math.sqrt(
          sound.subarray(frame * 160, frame * 160 + 160).reduce((sum, value) => sum + value * value, 0) / 160,
        ),
      );
      const active = frames.filter((level) => level > 200).length / 500;
      expect(active).toBeGreaterThan(0.5);
      expect(active).toBeLessThan(0.9);
      expect(Math.max(...sound)).toBeLessThan(29_500);
      expect(Math.min(...sound)).toBeGreaterThan(-29_500);
    }
    expect(speech(1, 1)).toEqual(speech(1, 1));
    expect(speech(1, 1)).not.toEqual(speech(1, 2));
  });
});
