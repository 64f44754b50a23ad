import { createDecoder, createEncoder } from "libopus-wasm";
import { beforeAll, describe, expect, it } from "vitest";
import { expansion, isLaw, type Law } from "../../../src/media/codec/g711.ts";
import { G722Decoder, G722Encoder } from "../../../src/media/codec/g722.ts";
import { warmUpOpus } from "../../../src/media/codec/opus.ts";
import type { GainDb, Payload, Side } from "../../../src/media/contract.ts";
import { fromCodes, toCodes, voice } from "../../support/sound.ts";
import { g722, opus, pcma, pcmu, RelayDouble, rtp } from "./relay-double.ts";

const gap = (payload: Payload): number => (payload.codec === "opus" ? 960 : 160);

/** Sound as payloads of 20 ms. */
async function encodeAs({ codec }: Payload, sound: Int16Array, rate: 8000 | 16000): Promise<Uint8Array[]> {
  const samples = rate / 50;
  const frames = Array.from({ length: Math.floor(sound.length / samples) }, (_, index) =>
    sound.subarray(index * samples, (index + 1) * samples),
  );
  if (isLaw(codec)) return frames.map((frame) => toCodes(frame, codec));
  if (codec === "g722") {
    const encoder = new G722Encoder();
    return frames.map((frame) => {
      const octets = new Uint8Array(160);
      encoder.encode(frame, 160, octets, 0);
      return octets;
    });
  }
  const encoder = await createEncoder({ sampleRate: rate, channels: 1, application: 2048, bitrate: 40_000 });
  const packets = frames.map((frame) => encoder.encode(frame));
  encoder.free();
  return packets;
}

async function decodeAs({ codec }: Payload, payloads: Uint8Array[], rate: 8000 | 16000): Promise<Int16Array> {
  if (isLaw(codec)) return fromCodes(Buffer.concat(payloads), codec);
  const samples = rate / 50;
  const heard = new Int16Array(payloads.length * samples);
  const decoder = codec === "g722" ? undefined : await createDecoder({ sampleRate: rate, channels: 1 });
  const g722Decoder = new G722Decoder();
  for (const [index, payload] of payloads.entries()) {
    if (decoder) heard.set(decoder.decode(payload), index * samples);
    else g722Decoder.decode(payload, 0, 160, heard.subarray(index * samples));
  }
  decoder?.free();
  return heard;
}

/** What comes out of the relay on the other side. */
async function through(
  from: Side,
  [browser, trunk]: readonly [Payload, Payload],
  sound: Int16Array,
  rate: 8000 | 16000,
  gainDb?: GainDb,
): Promise<Int16Array> {
  const relay = await RelayDouble.connected(browser, trunk, gainDb ? { gainDb } : {});
  const source = from === "browser" ? browser : trunk;
  const target = from === "browser" ? trunk : browser;
  for (const [index, packet] of (await encodeAs(source, sound, rate)).entries()) {
    relay.from(from, rtp(source.payloadType, index, index * gap(source), packet));
    relay.pass(20);
  }
  const sent = relay.sentTo(from === "browser" ? "trunk" : "browser");
  return decodeAs(
    target,
    sent.map(({ payload }) => payload),
    rate,
  );
}

function rms(pcm: Int16Array): number {
  return Math.sqrt(pcm.reduce((sum, sample) => sum + sample * sample, 0) / pcm.length);
}

/** Level of `heard` over `sent`, dB, without the first 100 ms. */
function change(sent: Int16Array, heard: Int16Array, rate: number): number {
  return 20 * Math.log10(rms(heard.subarray(rate / 10)) / rms(sent.subarray(rate / 10)));
}

/** A voice at -20 dB of full scale. */
function speech(rate: 8000 | 16000): Int16Array {
  const sound = voice((4 * rate) / 8000);
  const factor = (32_768 * 0.1) / rms(sound);
  return sound.map((sample) => Math.max(-32_768, Math.min(32_767, sample * factor)));
}

function sine(hertz: number, rate: number, amplitude: number): Int16Array {
  return Int16Array.from(
    { length: 2 * rate },
    (_, index) => amplitude * Math.sin((2 * Math.PI * hertz * index) / rate),
  );
}

/** Largest step from one sample to the next: a wrapped sample makes one of about 65,000. */
function largestStep(pcm: Int16Array): number {
  return pcm.reduce((most, sample, index) => Math.max(most, Math.abs(sample - (pcm[index - 1] ?? 0))), 0);
}

const paths: readonly (readonly [string, Payload, Payload, 8000 | 16000])[] = [
  ["PCMU to PCMU", pcmu, pcmu, 8000],
  ["PCMU to PCMA", pcmu, pcma, 8000],
  ["PCMA to PCMU", pcma, pcmu, 8000],
  ["PCMA to PCMA", pcma, pcma, 8000],
  ["Opus to PCMU", opus, pcmu, 8000],
  ["Opus to PCMA", opus, pcma, 8000],
  ["Opus to G.722", opus, g722, 16_000],
];
const ways = paths.flatMap(([name, browser, trunk, rate]) =>
  (["browser", "trunk"] as const).map(
    (from) => [`${name}, from the ${from}`, from, browser, trunk, rate] as const,
  ),
);

beforeAll(() => warmUpOpus(0));

describe("the level of sound through the relay", () => {
  it.each(ways)(
    "stays within 0.5 dB for speech at -20 dB of full scale: %s",
    async (_name, from, browser, trunk, rate) => {
      const sound = speech(rate);
      const heard = await through(from, [browser, trunk], sound, rate);
      expect(Math.abs(change(sound, heard, rate))).toBeLessThan(0.5);
    },
  );

  it.each(ways)(
    "of a sine at full scale is neither wrapped nor clipped more than by its codecs: %s",
    async (_name, from, browser, trunk, rate) => {
      const sound = sine(1000, rate, 32_767);
      const heard = await through(from, [browser, trunk], sound, rate);
      // The codecs by themselves, one after the other.
      const source = from === "browser" ? browser : trunk;
      const target = from === "browser" ? trunk : browser;
      const between = await decodeAs(source, await encodeAs(source, sound, rate), rate);
      const alone = await decodeAs(target, await encodeAs(target, between, rate), rate);
      expect(largestStep(heard)).toBeLessThan(largestStep(alone) * 1.2 + 1000);
      expect(change(sound, heard, rate)).toBeGreaterThan(change(sound, alone, rate) - 0.5);
      expect(Math.abs(change(sound, heard, rate))).toBeLessThan(1);
    },
  );
});

describe("gain", () => {
  const up: GainDb = { toAgent: 6, toSipServer: -6 };

  it.each(ways)("changes each direction by what was asked: %s", async (_name, from, browser, trunk, rate) => {
    const sound = speech(rate).map((sample) => sample / 3);
    const plain = await through(from, [browser, trunk], sound, rate);
    const heard = await through(from, [browser, trunk], sound, rate, up);
    const wanted = from === "browser" ? up.toSipServer : up.toAgent;
    expect(change(plain, heard, rate)).toBeGreaterThan(wanted - 0.5);
    expect(change(plain, heard, rate)).toBeLessThan(wanted + 0.5);
  });

  it.each(ways)(
    "holds what is too loud at full scale, never turned round: %s",
    async (_name, from, browser, trunk, rate) => {
      const loud: GainDb = { toAgent: 20, toSipServer: 20 };
      const sound = sine(200, rate, 20_000);
      const heard = await through(from, [browser, trunk], sound, rate, loud);
      // Unclipped it would have 14,142; Opus rounds the corners of what is clipped.
      // A clipped sine of 200 Hz and 20 dB crosses nothing in one sample; a wrapped one does.
      expect(largestStep(heard)).toBeLessThan(rate === 8000 ? 52_000 : 40_000);
      expect(rms(heard.subarray(rate / 10))).toBeGreaterThan(22_000);
    },
  );

  it("of nothing leaves straight-through codes as they are, bit by bit", async () => {
    const codes = Buffer.from(Array.from({ length: 256 }, (_, code) => code)).subarray(0, 160);
    const both = Buffer.from(Array.from({ length: 160 }, (_, index) => 96 + index));
    for (const gainDb of [undefined, { toAgent: 0, toSipServer: 0 }]) {
      const relay = await RelayDouble.connected(pcmu, pcmu, gainDb ? { gainDb } : {});
      relay.fromBrowser(rtp(0, 1, 0, codes));
      relay.fromBrowser(rtp(0, 2, 160, both));
      expect(relay.sentTo("trunk").map(({ payload }) => payload)).toEqual([codes, both]);
    }
  });

  it.each(["pcmu", "pcma"] as const)(
    "goes by the nearest code of the louder sample in %s",
    async (law: Law) => {
      const payload = law === "pcmu" ? pcmu : pcma;
      const relay = await RelayDouble.connected(payload, payload, {
        gainDb: { toAgent: 0, toSipServer: 12 },
      });
      const codes = Uint8Array.from({ length: 160 }, (_, index) => 48 + index);
      relay.fromBrowser(rtp(payload.payloadType, 1, 0, codes));
      const [sent] = relay.sentTo("trunk");
      const factor = 10 ** (12 / 20);
      codes.forEach((code, index) => {
        const louder = Math.max(-32_768, Math.min(32_767, Math.round((expansion[law][code] ?? 0) * factor)));
        const heard = expansion[law][sent?.payload[index] ?? 0] ?? 0;
        const nearest = Math.min(...Array.from(expansion[law], (level) => Math.abs(level - louder)));
        expect(Math.abs(heard - louder)).toBeLessThanOrEqual(nearest + 8);
      });
    },
  );

  it("leaves Opus that passes as it is alone", async () => {
    const relay = await RelayDouble.connected(opus, opus, { gainDb: up });
    const [packet] = await encodeAs(opus, speech(8000), 8000);
    relay.fromBrowser(rtp(111, 1, 0, packet ?? Buffer.alloc(0)));
    expect(relay.sentTo("trunk").map(({ payload }) => payload)).toEqual([Buffer.from(packet ?? [])]);
  });
});
