import { createDecoder, createEncoder, type OpusDecoderHandle } from "libopus-wasm";
import { beforeAll, describe, expect, it } from "vitest";
import { warmUpOpus } from "../../../src/media/codec/opus.ts";
import { fromCodes, segmentalSnr, toCodes, voice } from "../../support/sound.ts";
import { opus, parse, pcma, pcmu, RelayDouble, rtp, type Sent } from "./relay-double.ts";
import { writeReport } from "../../../src/media/rtcp/write.ts";
import { readUint32 } from "../../../src/media/rtp/packet.ts";

/** Opus packets of `ms` each of a voice, as a browser encodes (48 kHz API fed with 8 kHz sound is not needed). */
async function encodeVoice(sound: Int16Array, ms = 20, fec = false): Promise<Uint8Array[]> {
  const encoder = await createEncoder({
    sampleRate: 8000,
    channels: 1,
    application: 2048,
    bitrate: 32_000,
    complexity: 5,
    fec,
    packetLossPercent: fec ? 20 : 0,
  });
  const samples = ms * 8;
  const packets: Uint8Array[] = [];
  for (let start = 0; start + samples <= sound.length; start += samples)
    packets.push(encoder.encode(sound.subarray(start, start + samples), { frameSize: samples }));
  encoder.free();
  return packets;
}

function decodeAll(decoder: OpusDecoderHandle, sent: readonly Sent[]): Int16Array {
  const out = new Int16Array(sent.length * 160);
  sent.forEach(({ payload }, index) => out.set(decoder.decode(payload), index * 160));
  return out;
}

function heardOnTrunk(relay: RelayDouble): Int16Array {
  return fromCodes(Buffer.concat(relay.sentTo("trunk").map(({ payload }) => payload)), "pcmu");
}

function expectSteady(sent: readonly Sent[], clockStep: number): void {
  sent.forEach(({ header }, index) => {
    if (index === 0) return;
    expect(header.sequence).toBe(((sent[index - 1]?.header.sequence ?? 0) + 1) & 0xffff);
    expect((header.timestamp - (sent[index - 1]?.header.timestamp ?? 0)) >>> 0).toBe(clockStep);
  });
}

// As the worker does before it is ready: the codec is loaded before the first call.
beforeAll(() => warmUpOpus(0));

describe("Opus from the browser", () => {
  it("is heard by SIP Server: segmental SNR above 8 dB, which the controls do not reach", async () => {
    const relay = await RelayDouble.connected(opus, pcmu);
    const sound = voice(4);
    for (const [index, packet] of (await encodeVoice(sound)).entries()) {
      relay.fromBrowser(rtp(111, index, index * 960, packet));
      relay.pass(20);
    }
    const sent = relay.sentTo("trunk");
    expect(sent).toHaveLength(200);
    expect(sent.every(({ header, payload }) => header.payloadType === 0 && payload.length === 160)).toBe(
      true,
    );
    expectSteady(sent, 160);
    const heard = heardOnTrunk(relay);
    expect(segmentalSnr(sound, heard)).toBeGreaterThan(8);
    const wrongLaw = fromCodes(Buffer.concat(sent.map(({ payload }) => payload)), "pcma");
    // The laws are alike enough to be understood when mixed up; the margin is set accordingly.
    expect(segmentalSnr(sound, wrongLaw)).toBeLessThan(6);
    expect(segmentalSnr(sound, new Int16Array(sound.length))).toBeLessThan(1);
    expect(segmentalSnr(voice(4, 2), heard)).toBeLessThan(1);
  });

  it.each([2.5, 5, 10, 40, 60])("of %d ms a packet becomes 20 ms frames without a gap", async (ms) => {
    const relay = await RelayDouble.connected(opus, pcmu);
    const sound = voice(3);
    for (const [index, packet] of (await encodeVoice(sound, ms)).entries()) {
      relay.fromBrowser(rtp(111, index, index * ms * 48, packet));
      relay.pass(ms);
    }
    const sent = relay.sentTo("trunk");
    expect(sent).toHaveLength(150);
    expectSteady(sent, 160);
    // 2.5 ms packets are CELT only and sound worse.
    expect(segmentalSnr(sound, heardOnTrunk(relay))).toBeGreaterThan(ms < 10 ? 4 : 8);
  });

  it("may change its packet length in mid-stream, up to 120 ms", async () => {
    const relay = await RelayDouble.connected(opus, pcmu);
    const [long] = await encodeVoice(voice(0.06), 60);
    const short = await encodeVoice(voice(0.2));
    // Code 1: two frames of equal length behind one TOC byte, 120 ms.
    const toc = (long?.[0] ?? 0) & 0xfc;
    const double = Buffer.concat([Buffer.from([toc | 1]), ...Array(2).fill(long?.subarray(1) ?? [])]);
    let at = 0;
    const send = (packet: Uint8Array, sequence: number, ms: number): void => {
      relay.fromBrowser(rtp(111, sequence, at, packet));
      at += ms * 48;
      relay.pass(ms);
    };
    send(short[0] ?? Buffer.alloc(0), 0, 20);
    send(double, 1, 120);
    send(short[1] ?? Buffer.alloc(0), 2, 20);
    expect(relay.sentTo("trunk")).toHaveLength(8);
    expectSteady(relay.sentTo("trunk"), 160);
  });

  it("lost packets are concealed, or recovered where the next packet carries them", async () => {
    const outcomes = await Promise.all(
      [false, true].map(async (fec) => {
        const relay = await RelayDouble.connected(opus, pcmu);
        const sound = voice(6);
        for (const [index, packet] of (await encodeVoice(sound, 20, fec)).entries()) {
          if (index % 10 !== 5) relay.fromBrowser(rtp(111, index, index * 960, packet));
          relay.pass(20);
        }
        expectSteady(relay.sentTo("trunk"), 160);
        expect(relay.sentTo("trunk")).toHaveLength(300);
        return { ...relay.session.statistics().browser, snr: segmentalSnr(sound, heardOnTrunk(relay)) };
      }),
    );
    const [plain, withFec] = outcomes;
    expect(plain).toMatchObject({ packetsLost: 30, framesConcealed: 30, framesRecovered: 0 });
    expect(withFec?.packetsLost).toBe(30);
    expect(withFec?.framesRecovered).toBeGreaterThan(15);
    expect((withFec?.framesRecovered ?? 0) + (withFec?.framesConcealed ?? 0)).toBe(30);
  });

  it("that is corrupt is counted and does not stop the call", async () => {
    const relay = await RelayDouble.connected(opus, pcmu);
    const packets = await encodeVoice(voice(0.2));
    const at = (index: number): Uint8Array => packets[index] ?? Buffer.alloc(0);
    relay.fromBrowser(rtp(111, 0, 0, at(0)));
    relay.fromBrowser(rtp(111, 1, 960, Buffer.from([0x4b, 0x82, 0xff, 0xff])));
    relay.fromBrowser(rtp(111, 2, 1920, Buffer.alloc(0)));
    relay.pass(20);
    for (let index = 3; index < 8; index++) {
      relay.fromBrowser(rtp(111, index, index * 960, at(index)));
      relay.pass(20);
    }
    expect(relay.session.statistics().browser.dropped["malformed"]).toBe(2);
    expect(relay.told).toEqual(["connected"]);
    const sent = relay.sentTo("trunk");
    expect((((sent.at(-1)?.header.timestamp ?? 0) - (sent[0]?.header.timestamp ?? 0)) >>> 0) / 160).toBe(7);
  });

  it("survives a thousand packets of random bytes", async () => {
    const relay = await RelayDouble.connected(opus, pcmu);
    let state = 7;
    for (let index = 0; index < 1000; index++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      const body = Buffer.from(
        Array.from({ length: state % 90 }, (_, at) => (state >>> (at % 24)) ^ (at * 37)),
      );
      relay.fromBrowser(rtp(111, index, index * 960, body));
      relay.pass(20);
    }
    expect(relay.told).toEqual(["connected"]);
    const stamps = relay.sentTo("trunk").map(({ header }) => header.timestamp);
    stamps.slice(1).forEach((stamp, index) => expect((stamp - (stamps[index] ?? 0)) | 0).toBeGreaterThan(0));
  });
});

describe("Opus toward the browser", () => {
  it.each([10, 20, 30, 40, 60])(
    "carries SIP Server's %i ms packets as 20 ms frames at 48 kHz",
    async (ms) => {
      const relay = await RelayDouble.connected(opus, pcmu);
      const sound = voice(3);
      const codes = toCodes(sound, "pcmu");
      const samples = ms * 8;
      for (let index = 0; (index + 1) * samples <= codes.length; index++) {
        relay.fromTrunk(
          rtp(0, index, index * samples, codes.subarray(index * samples, (index + 1) * samples)),
        );
        relay.pass(ms);
      }
      const sent = relay.sentTo("browser");
      expect(sent).toHaveLength(150);
      expectSteady(sent, 960);
      expect(sent.every(({ header }) => header.payloadType === 111)).toBe(true);
      const decoder = await createDecoder({ sampleRate: 8000, channels: 1 });
      const heard = decodeAll(decoder, sent);
      decoder.free();
      expect(segmentalSnr(sound, heard)).toBeGreaterThan(7);
      expect(segmentalSnr(voice(3, 2), heard)).toBeLessThan(1);
    },
  );

  it("covers packets lost from SIP Server, so that the browser sees none missing", async () => {
    const relay = await RelayDouble.connected(opus, pcma);
    const codes = toCodes(voice(1), "pcma");
    for (let index = 0; index < 50; index++) {
      if (index % 10 !== 5)
        relay.fromTrunk(rtp(8, index, index * 160, codes.subarray(index * 160, index * 160 + 160)));
      relay.pass(20);
    }
    expect(relay.sentTo("browser")).toHaveLength(50);
    expectSteady(relay.sentTo("browser"), 960);
    expect(relay.session.statistics().trunk.framesConcealed).toBe(5);
  });

  it("carries FEC once the browser reports loss", async () => {
    const relay = await RelayDouble.connected(opus, pcmu);
    const codes = toCodes(voice(2), "pcmu");
    const sizes = [0, 0];
    for (let index = 0; index < 100; index++) {
      if (index === 50) {
        const report = Buffer.alloc(200);
        const ssrc = readUint32(relay.transport.rtp[0] ?? Buffer.alloc(12), 8);
        const figures = { cumulativeLost: 5, extendedHighestSequence: 1, jitter: 0, lastReport: 0 };
        const reception = { ssrc, fractionLost: 26, delaySinceLastReport: 0, ...figures };
        const length = writeReport(report, { ssrc: 1, cname: "", reception });
        relay.transport.handlers?.onRtcp(report, length);
        // The encoder for it is made in this turn of the event loop, before the next packet is read.
        await new Promise(setImmediate);
      }
      relay.fromTrunk(rtp(0, index, index * 160, codes.subarray(index * 160, index * 160 + 160)));
      relay.pass(20);
    }
    const decoder = await createDecoder({ sampleRate: 8000, channels: 1 });
    for (const [index, { payload }] of relay.sentTo("browser").entries()) {
      // The LBRR flag of a 20 ms SILK frame (RFC 6716 4.2.4).
      const silk = (payload[0] ?? 0) >>> 3 < 16;
      if (silk && ((payload[1] ?? 0) & 0x40) !== 0)
        sizes[index < 50 ? 0 : 1] = (sizes[index < 50 ? 0 : 1] ?? 0) + 1;
    }
    decoder.free();
    expect(sizes[0]).toBe(0);
    expect(sizes[1]).toBeGreaterThan(10);
    expect(relay.session.statistics().browser.remote?.fractionLost).toBeCloseTo(0.1, 1);
  });
});

describe("Opus on both sides", () => {
  it("passes as it is, with losses left for the far decoder to see", async () => {
    const relay = await RelayDouble.connected(opus, { ...opus, payloadType: 120 });
    const packets = await encodeVoice(voice(0.4));
    for (const [index, packet] of packets.entries()) {
      if (index !== 7) relay.fromBrowser(rtp(111, index, index * 960, packet));
      relay.pass(20);
    }
    const sent = relay
      .sentTo("trunk")
      .filter(({ payload }) => packets.some((packet) => payload.equals(packet)));
    expect(sent.map(({ payload }) => payload)).toEqual(
      packets.filter((_, index) => index !== 7).map((packet) => Buffer.from(packet)),
    );
    const first = sent[0]?.header;
    sent.forEach(({ header }, index) => {
      const place = index < 7 ? index : index + 1;
      expect(header.payloadType).toBe(120);
      expect((header.sequence - (first?.sequence ?? 0)) & 0xffff).toBe(place);
      expect((header.timestamp - (first?.timestamp ?? 0)) >>> 0).toBe(place * 960);
    });
  });
});

describe("a change of codec in mid-call", () => {
  it("keeps the line toward the browser when the trunk changes its law", async () => {
    const relay = await RelayDouble.connected(opus, pcmu);
    const codes = toCodes(voice(1), "pcmu");
    for (let index = 0; index < 10; index++) {
      relay.fromTrunk(rtp(0, index, index * 160, codes.subarray(index * 160, index * 160 + 160)));
      relay.pass(20);
    }
    relay.describeTrunk({ payload: pcma });
    await relay.settle();
    for (let index = 10; index < 20; index++) {
      relay.fromTrunk(rtp(8, index, index * 160, Buffer.alloc(160, 0xd5)));
      relay.pass(20);
    }
    expect(relay.sentTo("browser")).toHaveLength(20);
    expectSteady(relay.sentTo("browser"), 960);
  });

  it("keeps the line toward the browser when that changes from Opus to PCMU", async () => {
    const relay = await RelayDouble.connected(opus, pcmu);
    for (let index = 0; index < 10; index++) {
      if (index === 5) {
        relay.describeBrowser({ payload: pcmu });
        await relay.settle();
      }
      relay.fromTrunk(rtp(0, index, index * 160, Buffer.alloc(160, 0x55)));
      relay.pass(20);
    }
    const sent = relay.sentTo("browser");
    expect(sent.map(({ header }) => header.payloadType)).toEqual([
      ...Array(5).fill(111),
      ...Array(5).fill(0),
    ]);
    const numbers = sent.map(({ header }) => (header.sequence - (sent[0]?.header.sequence ?? 0)) & 0xffff);
    expect(numbers).toEqual(Array.from({ length: 10 }, (_, index) => index));
    expect(parse(relay.transport.rtp[9] ?? Buffer.alloc(0)).payload).toEqual(Buffer.alloc(160, 0x55));
    const stamps = sent.map(({ header }) => header.timestamp);
    expect(((stamps[5] ?? 0) - (stamps[4] ?? 0)) >>> 0).toBe(960);
    expect(((stamps[6] ?? 0) - (stamps[5] ?? 0)) >>> 0).toBe(160);
  });
});
