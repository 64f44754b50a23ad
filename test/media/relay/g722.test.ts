import { createDecoder, createEncoder } from "libopus-wasm";
import { beforeAll, describe, expect, it } from "vitest";
import { G722Decoder, G722Encoder } from "../../../src/media/codec/g722.ts";
import { G722FrameSink } from "../../../src/media/relay/g722-sink.ts";
import { warmUpOpus } from "../../../src/media/codec/opus.ts";
import { fromCodes, segmentalSnr, toCodes, voice } from "../../support/sound.ts";
import { g722, opus, pcmu, RelayDouble, rtp, type Sent } from "./relay-double.ts";

/** A voice at 16 kHz with harmonics up to 7 kHz: one of 8 kHz played twice as fast. */
const wideVoice = (seconds: number, seed = 1): Int16Array => voice(2 * seconds, seed);

async function opusFrames(sound: Int16Array): Promise<Uint8Array[]> {
  const encoder = await createEncoder({
    sampleRate: 16_000,
    channels: 1,
    application: 2048,
    bitrate: 40_000,
  });
  const frames: Uint8Array[] = [];
  for (let at = 0; at + 320 <= sound.length; at += 320)
    frames.push(encoder.encode(sound.subarray(at, at + 320)));
  encoder.free();
  return frames;
}

async function heardByBrowser(sent: readonly Sent[]): Promise<Int16Array> {
  const decoder = await createDecoder({ sampleRate: 16_000, channels: 1 });
  const heard = new Int16Array(sent.length * 320);
  sent.forEach(({ payload }, index) => heard.set(decoder.decode(payload), index * 320));
  decoder.free();
  return heard;
}

function heardOnTrunk(relay: RelayDouble): Int16Array {
  const octets = Buffer.concat(relay.sentTo("trunk").map(({ payload }) => payload));
  const decoder = new G722Decoder();
  const heard = new Int16Array(2 * octets.length);
  for (let at = 0; at < octets.length; at += 160) decoder.decode(octets, at, 160, heard.subarray(2 * at));
  return heard;
}

function encodeG722(sound: Int16Array): Buffer {
  const encoder = new G722Encoder();
  const octets = Buffer.alloc(sound.length / 2);
  for (let at = 0; at + 160 <= octets.length; at += 160)
    encoder.encode(sound.subarray(2 * at), 160, octets, at);
  return octets;
}

function expectSteady(sent: readonly Sent[], step: number): void {
  sent.forEach(({ header }, index) => {
    if (index === 0) return;
    expect(header.sequence).toBe(((sent[index - 1]?.header.sequence ?? 0) + 1) & 0xffff);
    expect((header.timestamp - (sent[index - 1]?.header.timestamp ?? 0)) >>> 0).toBe(step);
  });
}

/** Share of the energy above 4 kHz in sound of 16 kHz: differences of second order show it well enough. */
function brightness(pcm: Int16Array): number {
  let high = 0;
  let all = 1;
  for (let index = 2; index < pcm.length; index++) {
    const [before, here, after] = [pcm[index - 2] ?? 0, pcm[index - 1] ?? 0, pcm[index] ?? 0];
    high += (before - 2 * here + after) ** 2;
    all += here * here;
  }
  return high / all;
}

beforeAll(() => warmUpOpus(0));

describe("a call between Opus and G.722", () => {
  it("is heard by SIP Server in wide band, one octet for each tick of its clock of 8000", async () => {
    const relay = await RelayDouble.connected(opus, g722);
    const sound = wideVoice(3);
    for (const [index, frame] of (await opusFrames(sound)).entries()) {
      relay.fromBrowser(rtp(111, index, index * 960, frame));
      relay.pass(20);
    }
    const sent = relay.sentTo("trunk");
    expect(sent).toHaveLength(150);
    expect(sent.every(({ header, payload }) => header.payloadType === 9 && payload.length === 160)).toBe(
      true,
    );
    expectSteady(sent, 160);
    const heard = heardOnTrunk(relay);
    expect(segmentalSnr(sound, heard)).toBeGreaterThan(7);
    expect(segmentalSnr(wideVoice(3, 2), heard)).toBeLessThan(1);
    expect(brightness(heard)).toBeGreaterThan(brightness(sound) / 2);
  });

  it("is heard by the browser in wide band, as 20 ms frames", async () => {
    const relay = await RelayDouble.connected(opus, g722);
    const sound = wideVoice(3);
    const octets = encodeG722(sound);
    for (let index = 0; index < 75; index++) {
      relay.fromTrunk(rtp(9, index, index * 320, octets.subarray(index * 320, index * 320 + 320)));
      relay.pass(40);
    }
    const sent = relay.sentTo("browser");
    expect(sent).toHaveLength(150);
    expectSteady(sent, 960);
    const heard = await heardByBrowser(sent);
    expect(segmentalSnr(sound, heard)).toBeGreaterThan(6);
    expect(segmentalSnr(wideVoice(3, 2), heard)).toBeLessThan(1);
    expect(brightness(heard)).toBeGreaterThan(brightness(sound) / 2);
    // Control: the same call in G.711 has none of the upper half.
    const narrow = await RelayDouble.connected(opus, pcmu);
    const codes = toCodes(voice(3), "pcmu");
    for (let index = 0; index < 150; index++)
      narrow.fromTrunk(rtp(0, index, index * 160, codes.subarray(index * 160, index * 160 + 160)));
    expect(brightness(await heardByBrowser(narrow.sentTo("browser")))).toBeLessThan(brightness(sound) / 2);
  });

  it("covers losses both ways and recovers what FEC carries", async () => {
    const relay = await RelayDouble.connected(opus, g722);
    const sound = wideVoice(1);
    const octets = encodeG722(sound);
    const frames = await opusFrames(sound);
    for (let index = 0; index < 50; index++) {
      if (index % 10 !== 5) {
        relay.fromTrunk(rtp(9, index, index * 160, octets.subarray(index * 160, index * 160 + 160)));
        relay.fromBrowser(rtp(111, index, index * 960, frames[index] ?? Buffer.alloc(0)));
      }
      relay.pass(20);
    }
    for (const [side, step] of [["browser", 960] as const, ["trunk", 160] as const]) {
      expect(relay.sentTo(side)).toHaveLength(50);
      expectSteady(relay.sentTo(side), step);
    }
    const { browser, trunk } = relay.session.statistics();
    expect(trunk.framesConcealed).toBe(5);
    expect(browser.framesConcealed + browser.framesRecovered).toBe(5);
    expect(segmentalSnr(sound, await heardByBrowser(relay.sentTo("browser")))).toBeGreaterThan(4);
  });

  it("goes on through a lost packet as loud as before", async () => {
    const relay = await RelayDouble.connected(opus, g722);
    const tone = Int16Array.from({ length: 16_000 }, (_, index) => 8000 * Math.sin(index / 10));
    const octets = encodeG722(tone);
    const frames = await opusFrames(tone);
    for (let index = 0; index < 50; index++) {
      if (index !== 25) {
        relay.fromTrunk(rtp(9, index, index * 160, octets.subarray(index * 160, index * 160 + 160)));
        relay.fromBrowser(rtp(111, index, index * 960, frames[index] ?? Buffer.alloc(0)));
      }
      relay.pass(20);
    }
    for (const heard of [await heardByBrowser(relay.sentTo("browser")), heardOnTrunk(relay)])
      for (let at = 24 * 320; at < 27 * 320; at += 80) {
        const energy = heard.subarray(at, at + 160).reduce((sum, sample) => sum + sample * sample, 0);
        expect(Math.sqrt(energy / 160)).toBeGreaterThan(3000);
      }
  });

  it("is filled with the codes of silence while the browser is quiet", async () => {
    const relay = await RelayDouble.connected(opus, g722);
    for (const [index, frame] of (await opusFrames(wideVoice(0.2))).entries()) {
      relay.fromBrowser(rtp(111, index, index * 960, frame));
      relay.pass(20);
    }
    relay.pass(2000);
    const heard = heardOnTrunk(relay);
    expect(heard.length).toBeGreaterThan(2 * 16_000);
    expect(
      heard.subarray(-16_000).reduce((most, sample) => Math.max(most, Math.abs(sample)), 0),
    ).toBeLessThan(16);
  });

  it("takes events at 8000 and sends them on at the browser's rate", async () => {
    const relay = await RelayDouble.connected(opus, g722);
    relay.fromTrunk(rtp(101, 1, 0, Buffer.from([5, 0x0a, 0x01, 0x40])));
    const [event] = relay.sentTo("browser");
    expect(event?.header.payloadType).toBe(110);
    expect(event?.payload.readUInt16BE(2)).toBe(320 * 6);
  });

  it("is left and joined in mid-call on the same two lines", async () => {
    const relay = await RelayDouble.connected(opus, pcmu);
    const octets = encodeG722(wideVoice(1));
    const codes = toCodes(voice(1), "pcmu");
    const frames = await opusFrames(wideVoice(1));
    for (let index = 0; index < 45; index++) {
      if (index === 15 || index === 30) {
        relay.describeTrunk({ payload: index === 15 ? g722 : pcmu });
        await relay.settle();
      }
      const wide = index >= 15 && index < 30;
      const sound = (wide ? octets : codes).subarray(index * 160, index * 160 + 160);
      relay.fromTrunk(rtp(wide ? 9 : 0, index, index * 160, sound));
      relay.fromBrowser(rtp(111, index, index * 960, frames[index] ?? Buffer.alloc(0)));
      relay.pass(20);
    }
    for (const [side, step] of [["browser", 960] as const, ["trunk", 160] as const]) {
      expect(relay.sentTo(side)).toHaveLength(45);
      expectSteady(relay.sentTo(side), step);
    }
    const types = relay.sentTo("trunk").map(({ header }) => header.payloadType);
    expect(types).toEqual([...Array(15).fill(0), ...Array(15).fill(9), ...Array(15).fill(0)]);
    expect(relay.told).toEqual(["connected"]);
  });
});

describe("the packets of G.722", () => {
  it("are coded only when sent, since the far decoder knows nothing of the others", () => {
    const sound = wideVoice(0.2);
    const sentBy = (unsent: boolean): Buffer[] => {
      let wanted = true;
      const packets: Buffer[] = [];
      const emit = (packet: Buffer, length: number): void => {
        if (wanted) packets.push(Buffer.from(packet.subarray(12, length)));
      };
      const sink = new G722FrameSink(16_000, emit, () => wanted);
      for (let frame = 0; frame < 10; frame++) {
        wanted = frame < 4 || frame > 6;
        if (wanted || unsent) sink.putPcm(sound.subarray(frame * 320), 320, 0);
      }
      return packets;
    };
    expect(sentBy(true)).toHaveLength(7);
    expect(sentBy(true)).toEqual(sentBy(false));
  });
});

describe("a call between G.711 and G.722, which we do not negotiate but may be left with", () => {
  it("is heard both ways in the telephone's band", async () => {
    const relay = await RelayDouble.connected(pcmu, g722);
    const sound = voice(2);
    const codes = toCodes(sound, "pcmu");
    const wide = new Int16Array(2 * sound.length);
    // Each sample twice and smoothed: good enough below 1 kHz, where this voice has its pitch.
    sound.forEach((sample, index) => {
      wide[2 * index] = sample;
      wide[2 * index + 1] = (sample + (sound[index + 1] ?? sample)) / 2;
    });
    const octets = encodeG722(wide);
    for (let index = 0; index < 100; index++) {
      relay.fromBrowser(rtp(0, index, index * 160, codes.subarray(index * 160, index * 160 + 160)));
      if (index % 20 !== 7)
        relay.fromTrunk(rtp(9, index, index * 160, octets.subarray(index * 160, index * 160 + 160)));
      relay.pass(20);
    }
    expectSteady(relay.sentTo("trunk"), 160);
    expectSteady(relay.sentTo("browser"), 160);
    const narrow = new Int16Array(sound.length);
    heardOnTrunk(relay).forEach((sample, index) => {
      if (index % 2 === 0) narrow[index / 2] = sample;
    });
    expect(segmentalSnr(sound, narrow)).toBeGreaterThan(7);
    const toBrowser = Buffer.concat(relay.sentTo("browser").map(({ payload }) => payload));
    expect(segmentalSnr(sound, fromCodes(toBrowser, "pcmu"))).toBeGreaterThan(6);
  });
});
