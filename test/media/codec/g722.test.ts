import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { PcmConcealer } from "../../../src/media/codec/conceal-pcm.ts";
import { G722Decoder, G722Encoder } from "../../../src/media/codec/g722.ts";
import { segmentalSnr, voice } from "../../support/sound.ts";

/** As many samples a second as G.722 has. */
const rate = 16_000;
/** A voice with harmonics up to 7 kHz: one of 8 kHz played twice as fast. */
const wideVoice = (seconds: number, seed = 1): Int16Array => voice(2 * seconds, seed);

function sine(hertz: number, seconds: number, amplitude: number, samplesPerSecond = rate): Int16Array {
  return Int16Array.from(
    { length: seconds * samplesPerSecond },
    (_, index) => amplitude * Math.sin((2 * Math.PI * hertz * index) / samplesPerSecond),
  );
}

function encode(pcm: Int16Array, encoder = new G722Encoder(), chunk = 160): Uint8Array {
  const octets = new Uint8Array(pcm.length / 2);
  for (let at = 0; at < octets.length; at += chunk)
    encoder.encode(pcm.subarray(2 * at), Math.min(chunk, octets.length - at), octets, at);
  return octets;
}

function decode(octets: Uint8Array, decoder = new G722Decoder(), chunk = 160): Int16Array {
  const pcm = new Int16Array(2 * octets.length);
  for (let at = 0; at < octets.length; at += chunk)
    decoder.decode(octets, at, Math.min(chunk, octets.length - at), pcm.subarray(2 * at));
  return pcm;
}

function encodeNarrow(pcm: Int16Array): Uint8Array {
  const encoder = new G722Encoder();
  const octets = new Uint8Array(pcm.length);
  for (let at = 0; at < octets.length; at += 160) encoder.encodeNarrow(pcm.subarray(at), 160, octets, at);
  return octets;
}

function decodeNarrow(octets: Uint8Array): Int16Array {
  const decoder = new G722Decoder();
  const pcm = new Int16Array(octets.length);
  for (let at = 0; at < octets.length; at += 160) decoder.decodeNarrow(octets, at, 160, pcm.subarray(at));
  return pcm;
}

/** Root mean square. */
function loudness(pcm: Int16Array): number {
  return Math.sqrt(pcm.reduce((sum, sample) => sum + sample * sample, 0) / pcm.length);
}

/** How far a tone of `hertz` stands above everything else in `pcm`, whatever its phase, dB. */
function purity(pcm: Int16Array, hertz: number, samplesPerSecond: number): number {
  let real = 0;
  let imaginary = 0;
  pcm.forEach((sample, index) => {
    const angle = (2 * Math.PI * hertz * index) / samplesPerSecond;
    real += sample * Math.cos(angle);
    imaginary += sample * Math.sin(angle);
  });
  const tone = (2 * (real * real + imaginary * imaginary)) / pcm.length ** 2;
  return 10 * Math.log10(tone / (loudness(pcm) ** 2 - tone));
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const bytesOf = (pcm: Int16Array): Uint8Array => new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);

/** A triangle with noise, in four loudnesses, made of integers alone. */
function reference(): Int16Array {
  let state = 1;
  return Int16Array.from({ length: rate }, (_, index) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const loud = [200, 3000, 12_000, 600][Math.floor(index / 4000)] ?? 0;
    const triangle = Math.abs((index % 40) - 20) - 10;
    return (triangle * loud) / 10 + Math.floor((((state >>> 16) - 32_768) * loud) / 65_536);
  });
}

/** What libspandsp 0.0.6 makes of `reference`, and of its own octets again. */
const oracle = {
  begin: "de7af76c972020af30b89d5e9a9a118dcd95ffdc747cb1f3ad6cb47a7f7cbf1a",
  encoded: "e81e91b6b88701426ce6b2657dc205dc4f0c432e8f843e98e3b391e2a4bd52ab",
  decoded: "928bebb140398ea6687ee8968e0006dc97f396faab6a953ca56433b5dbef4f91",
  narrowEncoded: "8d989a8c90e8d1131a089068ae35c1253a8e1c245fccf11627ad7256119ad5d4",
  narrowDecoded: "88b8308cc571bbe4e0bfa88d5fbd4ed20bddc2f0ebf8ab980ff23517ec127d8b",
};

describe("G.722", () => {
  it("is bit-exact with an independent implementation, both ways", () => {
    const octets = encode(reference());
    expect(Buffer.from(octets.subarray(0, 32)).toString("hex")).toBe(oracle.begin);
    expect(sha256(octets)).toBe(oracle.encoded);
    expect(sha256(bytesOf(decode(octets)))).toBe(oracle.decoded);
  });

  it("is bit-exact with it at 8 kHz, both ways", () => {
    const octets = encodeNarrow(reference());
    expect(sha256(octets)).toBe(oracle.narrowEncoded);
    expect(sha256(bytesOf(decodeNarrow(octets)))).toBe(oracle.narrowDecoded);
  });

  it("carries a voice: segmental SNR above 18 dB, and controls that fail", () => {
    const sound = wideVoice(3);
    const heard = decode(encode(sound));
    expect(segmentalSnr(sound, heard)).toBeGreaterThan(18);
    expect(segmentalSnr(wideVoice(3, 2), heard)).toBeLessThan(1);
    const late = decode(encode(sound), new G722Decoder());
    late.copyWithin(1, 0);
    expect(segmentalSnr(sound, late, 22)).toBeLessThan(segmentalSnr(sound, heard, 22) - 3);
  });

  it("delays by the 22 samples of its filters", () => {
    const sound = wideVoice(1);
    const heard = decode(encode(sound));
    const quality = [20, 21, 22, 23, 24].map((lag) => segmentalSnr(sound, heard, lag));
    expect(quality.indexOf(Math.max(...quality))).toBe(2);
  });

  it.each([
    [100, 25],
    [300, 25],
    [1000, 25],
    [3000, 20],
    [5000, 10],
    [6800, 10],
  ])("carries a tone of %i Hz above %i dB and at its level", (hertz, leastSnr) => {
    const sound = sine(hertz, 1, 8000);
    const heard = decode(encode(sound));
    expect(segmentalSnr(sound, heard, 22)).toBeGreaterThan(leastSnr);
    const change = 20 * Math.log10(loudness(heard.subarray(1600)) / loudness(sound.subarray(1600)));
    expect(Math.abs(change)).toBeLessThan(0.5);
  });

  it("leaves silence silent", () => {
    const octets = encode(new Int16Array(rate));
    // A step or two of the finest quantizer there is: 80 dB below speech.
    expect(loudness(decode(octets))).toBeLessThan(2);
    expect(decode(octets).reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)).toBeLessThan(8);
  });

  it("is silent again soon after the loudest there is", () => {
    const square = Int16Array.from({ length: rate }, (_, index) => ((index >> 4) & 1 ? 32_767 : -32_768));
    const encoder = new G722Encoder();
    const decoder = new G722Decoder();
    decode(encode(square, encoder), decoder);
    const after = decode(encode(new Int16Array(rate), encoder), decoder);
    expect(loudness(after.subarray(rate / 10))).toBeLessThan(4);
  });

  it.each([
    ["a sine", sine(1000, 1, 32_767)],
    ["a square wave", Int16Array.from({ length: rate }, (_, index) => ((index >> 5) & 1 ? 32_767 : -32_768))],
    ["no more than a constant", new Int16Array(rate).fill(-32_768)],
  ])("%s at full scale is held there, never turned round", (_name, sound) => {
    const heard = decode(encode(sound));
    let turned = 0;
    for (let index = 1600; index < rate; index++) {
      const wanted = sound[index - 22] ?? 0;
      if (Math.abs(wanted) > 30_000 && Math.abs((heard[index] ?? 0) - wanted) > 40_000) turned++;
    }
    expect(turned).toBe(0);
  });

  it("takes any octets, and decodes well again within a tenth of a second", () => {
    let state = 5;
    const noise = Uint8Array.from({ length: 40_000 }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    });
    const decoder = new G722Decoder();
    decode(noise, decoder);
    const sound = sine(700, 1, 8000);
    const heard = decode(encode(sound), decoder);
    const from = rate / 10;
    const clean = decode(encode(sound));
    expect(segmentalSnr(clean.subarray(from), heard.subarray(from), 0)).toBeGreaterThan(20);
  });

  it("makes the same of sound in pieces of any length", () => {
    const sound = wideVoice(0.5);
    const whole = encode(sound);
    for (const chunk of [1, 7, 80, 480]) {
      expect(encode(sound, new G722Encoder(), chunk)).toEqual(whole);
      expect(decode(whole, new G722Decoder(), chunk)).toEqual(decode(whole));
    }
  });

  it("is heard and fed at 8 kHz by its lower band", () => {
    const heard = decodeNarrow(encode(sine(1000, 1, 8000))).subarray(800);
    expect(purity(heard, 1000, 8000)).toBeGreaterThan(30);
    expect(Math.abs(20 * Math.log10(loudness(heard) / (8000 / Math.SQRT2)))).toBeLessThan(0.5);
    const fed = decode(encodeNarrow(sine(1000, 1, 8000, 8000))).subarray(1600);
    expect(purity(fed, 1000, rate)).toBeGreaterThan(30);
    expect(Math.abs(20 * Math.log10(loudness(fed) / (8000 / Math.SQRT2)))).toBeLessThan(0.5);
    // What is above the lower band is not there.
    expect(loudness(decodeNarrow(encode(sine(6000, 1, 8000))).subarray(800))).toBeLessThan(100);
  });
});

describe("concealing lost wide-band sound", () => {
  function hear(sound: Int16Array): PcmConcealer {
    const concealer = new PcmConcealer(rate);
    for (let at = 0; at + 320 <= sound.length; at += 320) concealer.heard(sound.subarray(at), 320);
    return concealer;
  }

  it("goes on with the wave it heard, in phase", () => {
    const sound = sine(200, 0.5, 8000);
    const made = new Int16Array(160);
    hear(sound.subarray(0, 6400)).conceal(made, 160);
    let error = 1;
    made.forEach((sample, index) => (error += (sample - (sound[6400 + index] ?? 0)) ** 2));
    const signal = loudness(sound.subarray(6400, 6560)) ** 2 * 160;
    expect(10 * Math.log10(signal / error)).toBeGreaterThan(15);
  });

  it("fades to silence within 60 ms and is loud again after the next packet", () => {
    const sound = sine(300, 0.5, 8000);
    const concealer = hear(sound);
    const parts = Array.from({ length: 4 }, () => {
      const made = new Int16Array(320);
      concealer.conceal(made, 320);
      return loudness(made);
    });
    expect(parts[0]).toBeGreaterThan(5000);
    expect(parts[2]).toBeLessThan(parts[1] ?? 0);
    expect(parts[3]).toBe(0);
    concealer.heard(sound, 320);
    const again = new Int16Array(320);
    concealer.conceal(again, 320);
    expect(loudness(again)).toBeGreaterThan(4000);
  });

  it("makes silence when it has heard too little to guess from", () => {
    const made = new Int16Array(320).fill(5);
    hear(sine(300, 0.02, 8000)).conceal(made, 320);
    expect(loudness(made)).toBe(0);
  });

  it("keeps the end of a packet longer than what it remembers", () => {
    const concealer = new PcmConcealer(rate);
    const sound = sine(250, 0.1, 8000);
    concealer.heard(sound, 1600);
    const made = new Int16Array(64);
    concealer.conceal(made, 64);
    const truth = sine(250, 0.2, 8000).subarray(1600, 1664);
    expect(
      segmentalSnr(
        Int16Array.from([...truth, ...truth, ...truth]),
        Int16Array.from([...made, ...made, ...made]),
        0,
      ),
    ).toBeGreaterThan(10);
  });
});
