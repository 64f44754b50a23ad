import { createEncoder } from "libopus-wasm";
import { afterEach, describe, expect, it } from "vitest";
import { OpusSink } from "../../../src/media/codec/opus-sink.ts";
import { hasFec, opusSamples, OpusSource, warmUpOpus } from "../../../src/media/codec/opus.ts";
import { align, segmentalSnr, voice } from "../../support/sound.ts";

const open: { free(): void }[] = [];
afterEach(() => {
  for (const codec of open.splice(0)) codec.free();
});

async function pair(): Promise<readonly [OpusSink, OpusSource]> {
  const made = [await OpusSink.create(), await OpusSource.create()] as const;
  open.push(...made);
  return made;
}

/** Root mean square of the difference of two frames. */
function error(one: Int16Array, other: Int16Array): number {
  return Math.sqrt(
    one.reduce((sum, sample, index) => sum + (sample - (other[index] ?? 0)) ** 2, 0) / one.length,
  );
}

describe("Opus at 8 kHz", () => {
  it("carries a voice: segmental SNR above 20 dB, and controls that fail", async () => {
    const [sink, source] = await pair();
    const sent = voice(3);
    const heard = new Int16Array(sent.length);
    for (let start = 0; start < sent.length; start += 160)
      heard.set(source.decode(sink.encode(sent.subarray(start, start + 160))) ?? [], start);
    expect(segmentalSnr(sent, heard)).toBeGreaterThan(20);
    expect(segmentalSnr(sent, new Int16Array(sent.length))).toBeLessThan(1);
    expect(segmentalSnr(sent, voice(3, 2))).toBeLessThan(1);
    // Delay of encoder and decoder together: 2.5 ms.
    expect(align(sent, heard)).toBe(20);
  });

  it.each([2.5, 5, 10, 20, 40, 60])(
    "reads the duration of %d ms packets from their first byte",
    async (ms) => {
      for (const sampleRate of [8000, 48000] as const) {
        const encoder = await createEncoder({ sampleRate, channels: 1, frameSize: (ms * sampleRate) / 1000 });
        open.push(encoder);
        const packet = encoder.encode(new Int16Array((ms * sampleRate) / 1000));
        expect(opusSamples(packet, 0, packet.length)).toBe(ms * 8);
      }
    },
  );

  it("adds up the frames of a packet and refuses more than 120 ms", () => {
    // Configuration 9 (SILK WB 20 ms): two frames, then counted frames.
    expect(opusSamples(Buffer.from([0x49, 0]), 0, 2)).toBe(320);
    expect(opusSamples(Buffer.from([0x4b, 6]), 0, 2)).toBe(960);
    expect(opusSamples(Buffer.from([0x4b, 7]), 0, 2)).toBe(0);
    expect(opusSamples(Buffer.from([0x4b]), 0, 1)).toBe(0);
    expect(opusSamples(Buffer.alloc(0), 0, 0)).toBe(0);
  });

  it("refuses a corrupt packet without harm to the decoder", async () => {
    const [sink, source] = await pair();
    // Code 3 with a frame count of 0 is invalid (RFC 6716 3.2.5).
    expect(source.decode(Buffer.from([0x4b, 0x00, 1, 2]))).toBeUndefined();
    expect(source.decode(sink.encode(voice(0.02)))).toHaveLength(160);
  });

  it("turns FEC on at 3 % loss and off again only below 1 %", async () => {
    const [sink] = await pair();
    for (const [percent, fec] of [
      [2, false],
      [3, true],
      [1.5, true],
      [0.5, false],
    ] as const) {
      await sink.setLoss(percent);
      expect(sink.fec).toBe(fec);
    }
  });

  it("sounds on without a hole when FEC comes and goes in the middle of a voice", async () => {
    const [sink, source] = await pair();
    const sent = voice(6);
    const heard = new Int16Array(sent.length);
    for (let start = 0; start < sent.length; start += 160) {
      if (start === 16_000) await sink.setLoss(10);
      if (start === 32_000) await sink.setLoss(0);
      heard.set(source.decode(sink.encode(sent.subarray(start, start + 160))) ?? [], start);
    }
    const loudness = (samples: Int16Array, from: number): number =>
      Math.sqrt(samples.subarray(from, from + 160).reduce((sum, sample) => sum + sample ** 2, 0) / 160);
    // CELT delays by 20 samples, SILK by 52; quiet stretches say nothing, since what precedes them rings on.
    let judged = 0;
    for (const change of [16_000, 32_000])
      for (let at = change - 160; at < change + 1600; at += 80) {
        const lag = at >= 16_000 && at < 32_000 ? 52 : 20;
        const before = loudness(sent, at);
        if (before < 1000) continue;
        expect(loudness(heard, at + lag) / before).toBeGreaterThan(0.6);
        expect(loudness(heard, at + lag) / before).toBeLessThan(1.4);
        judged++;
      }
    expect(judged).toBeGreaterThan(20);
  });

  it("survives loss reports that come faster than an encoder is made, and its own end", async () => {
    const [sink, source] = await pair();
    const changes = [10, 0, 10, 0, 10].map((percent) => sink.setLoss(percent));
    await Promise.all(changes);
    expect(sink.fec).toBe(true);
    expect(source.decode(sink.encode(voice(0.02)))).toHaveLength(160);
    const late = (await pair())[0];
    open.splice(open.indexOf(late), 1);
    const change = late.setLoss(10);
    late.free();
    await change;
  });

  it("recovers a lost frame from the next one when FEC is on, better than concealment does", async () => {
    const [sink, withFec] = await pair();
    const [, concealed] = await pair();
    const [, truth] = await pair();
    await sink.setLoss(10);
    const sound = voice(4);
    let fecError = 0;
    let plcError = 0;
    let losses = 0;
    let lost: Uint8Array | undefined;
    for (let start = 0; start < sound.length; start += 160) {
      const packet = sink.encode(sound.subarray(start, start + 160));
      const right = truth.decode(packet) ?? new Int16Array(160);
      if ((start / 160) % 10 === 5) {
        lost = packet;
        lostFrame = right;
        continue;
      }
      if (lost && hasFec(packet, 0, packet.length)) {
        fecError += error(lostFrame, withFec.recover(packet, 160) ?? new Int16Array(160));
        plcError += error(lostFrame, concealed.conceal(160) ?? new Int16Array(160));
        losses++;
      } else if (lost) {
        withFec.conceal(160);
        concealed.conceal(160);
      }
      lost = undefined;
      withFec.decode(packet);
      concealed.decode(packet);
    }
    expect(losses).toBeGreaterThan(5);
    expect(fecError).toBeLessThan(plcError / 2);
  });
  let lostFrame: Int16Array = new Int16Array(160);

  it("says that packets encoded without FEC have none", async () => {
    const [sink] = await pair();
    const sound = voice(1);
    for (let start = 0; start < sound.length; start += 160) {
      const packet = sink.encode(sound.subarray(start, start + 160));
      expect(hasFec(packet, 0, packet.length)).toBe(false);
    }
    expect(hasFec(Buffer.from([0xff, 0xff]), 0, 2)).toBe(false);
    expect(hasFec(Buffer.from([0x48]), 0, 1)).toBe(false);
  });

  it("warms up", async () => {
    await expect(warmUpOpus(20)).resolves.toBeUndefined();
  });
});
