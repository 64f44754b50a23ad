import { describe, expect, it } from "vitest";
import { G711Concealer } from "../../../src/media/codec/conceal.ts";
import { fromCodes, segmentalSnr, toCodes, tone } from "../../support/sound.ts";

function energy(pcm: Int16Array): number {
  return pcm.reduce((sum, sample) => sum + sample * sample, 0) / pcm.length;
}

function hear(samples: Int16Array): G711Concealer {
  const concealer = new G711Concealer("pcmu");
  const codes = toCodes(samples, "pcmu");
  for (let start = 0; start + 160 <= codes.length; start += 160) concealer.heard(codes, start, 160);
  return concealer;
}

describe("concealing lost G.711", () => {
  it("goes on with the wave it heard, in phase", () => {
    const sound = tone(200, 0.5);
    const concealer = hear(sound.subarray(0, 3200));
    const made = new Int16Array(80);
    concealer.conceal(made, 80);
    const truth = fromCodes(toCodes(sound.subarray(3200, 3280), "pcmu"), "pcmu");
    let error = 0;
    made.forEach((sample, index) => (error += (sample - (truth[index] ?? 0)) ** 2));
    expect(10 * Math.log10((energy(truth) * 80) / error)).toBeGreaterThan(15);
    // Control: silence in its place is no better than 0 dB.
    expect(segmentalSnr(tone(200, 0.02), new Int16Array(160), 0)).toBeLessThan(1);
  });

  it("fades to silence within 60 ms, over several losses in a row", () => {
    const concealer = hear(tone(300, 0.5));
    const loudness = Array.from({ length: 4 }, () => {
      const made = new Int16Array(160);
      concealer.conceal(made, 160);
      return energy(made);
    });
    expect(loudness[1]).toBeLessThan(loudness[0] ?? 0);
    expect(loudness[2]).toBeLessThan(loudness[1] ?? 0);
    expect(loudness[3]).toBe(0);
  });

  it("is loud again after the next packet was heard", () => {
    const sound = tone(300, 0.5);
    const concealer = hear(sound);
    const made = new Int16Array(640);
    concealer.conceal(made, 640);
    concealer.heard(toCodes(sound.subarray(0, 160), "pcmu"), 0, 160);
    const again = new Int16Array(80);
    concealer.conceal(again, 80);
    expect(energy(again)).toBeGreaterThan(energy(sound) / 4);
  });

  it("makes silence when it has heard too little to guess from", () => {
    const concealer = hear(tone(300, 0.02));
    const made = new Int16Array(160).fill(5);
    concealer.conceal(made, 160);
    expect(energy(made)).toBe(0);
  });

  it("takes packets longer than what it remembers", () => {
    const concealer = new G711Concealer("pcma");
    concealer.heard(toCodes(tone(250, 0.06), "pcma"), 0, 480);
    const made = new Int16Array(80);
    concealer.conceal(made, 80);
    expect(energy(made)).toBeGreaterThan(1_000_000);
  });
});
