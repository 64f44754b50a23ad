import { createDecoder, createEncoder } from "libopus-wasm";
import { beforeAll, describe, expect, it } from "vitest";
import { warmUpOpus } from "../../../src/media/codec/opus.ts";
import { fromCodes, voice } from "../../support/sound.ts";
import { opus, pcmu, RelayDouble, rtp, type Sent } from "./relay-double.ts";

beforeAll(() => warmUpOpus(0));

/** A voice as a browser with FEC on sends it: packets of `ms`, narrowband so that both decoders agree. */
async function encode(sound: Int16Array, ms: number, fec = true): Promise<Uint8Array[]> {
  const encoder = await createEncoder({
    sampleRate: 8000,
    channels: 1,
    application: 2048,
    bitrate: 32_000,
    complexity: 5,
    fec,
    packetLossPercent: fec ? 25 : 0,
  });
  const packets: Uint8Array[] = [];
  for (let start = 0; start + ms * 8 <= sound.length; start += ms * 8)
    packets.push(encoder.encode(sound.subarray(start, start + ms * 8), { frameSize: ms * 8 }));
  encoder.free();
  return packets;
}

/** What a decoder makes of all packets: what the lost ones are to be compared with. */
async function whole(packets: readonly Uint8Array[]): Promise<Int16Array> {
  const decoder = await createDecoder({ sampleRate: 8000, channels: 1 });
  const parts = packets.map((packet) => Int16Array.from(decoder.decode(packet)));
  decoder.free();
  const out = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Error of `heard` against `right` over the samples named, relative to the energy there: 0 = the same, 1 = silence. */
function distance(right: Int16Array, heard: Int16Array, from: number, to: number): number {
  let error = 0;
  let energy = 1;
  for (let index = from; index < to; index++) {
    error += ((right[index] ?? 0) - (heard[index] ?? 0)) ** 2;
    energy += (right[index] ?? 0) ** 2;
  }
  return Math.sqrt(error / energy);
}

interface Heard {
  readonly relay: RelayDouble;
  readonly sent: readonly Sent[];
  readonly pcm: Int16Array;
}

/** Relays the packets but for those lost; the first has RTP number and timestamp `first` and `start`. */
async function relayed(
  packets: readonly Uint8Array[],
  ms: number,
  lost: (index: number) => boolean,
  { first = 0, start = 0 } = {},
): Promise<Heard> {
  const relay = await RelayDouble.connected(opus, pcmu);
  // Two losses at the start, so that no packet waits for one that may only be late.
  for (const index of [-12, -11, -9, -8, -7, -5, -4, -3, -2, -1]) {
    relay.fromBrowser(rtp(111, first + index, start + index * ms * 48, packets[0] ?? Buffer.alloc(0)));
    relay.pass(ms);
  }
  const before = relay.sentTo("trunk").length;
  for (const [index, packet] of packets.entries()) {
    if (!lost(index)) relay.fromBrowser(rtp(111, first + index, start + index * ms * 48, packet));
    relay.pass(ms);
  }
  const sent = relay.sentTo("trunk").slice(before);
  return { relay, sent, pcm: fromCodes(Buffer.concat(sent.map(({ payload }) => payload)), "pcmu") };
}

function expectContinuous(sent: readonly Sent[]): void {
  sent.slice(1).forEach(({ header }, index) => {
    const before = sent[index]?.header;
    expect((header.sequence - (before?.sequence ?? 0)) & 0xffff).toBe(1);
    expect((header.timestamp - (before?.timestamp ?? 0)) >>> 0).toBe(160);
  });
}

describe("packets of the browser's that are lost", () => {
  it.each([
    [20, 1],
    [20, 2],
    [20, 3],
    [20, 6],
    [40, 1],
    [40, 2],
    [40, 3],
    [60, 1],
    [60, 2],
  ])("of %i ms, %i in a row: the last is recovered from the next, the others guessed", async (ms, burst) => {
    const sound = voice(8);
    const lost = (index: number): boolean => index > 4 && index % 12 >= 5 && index % 12 < 5 + burst;
    const count = (packets: readonly unknown[]): number =>
      packets.filter((_, index) => lost(index) && index < packets.length - burst).length;
    const outcome = async (fec: boolean): Promise<{ last: number; recovered: number; missing: number }> => {
      const packets = await encode(sound, ms, fec);
      const kept = packets.slice(0, packets.findLastIndex((_, index) => !lost(index)) + 1);
      const right = await whole(kept);
      const { relay, sent, pcm } = await relayed(kept, ms, lost);
      expect(sent).toHaveLength((kept.length * ms) / 20);
      expectContinuous(sent);
      const { framesRecovered, framesConcealed, packetsLost } = relay.session.statistics().browser;
      expect(framesRecovered + framesConcealed).toBe(packetsLost);
      let last = 0;
      let compared = 0;
      for (let index = 0; index < kept.length; index++) {
        const from = index * ms * 8;
        if (!lost(index) || lost(index + 1) || distance(right, new Int16Array(1), from, from + 160) < 0.5)
          continue;
        last += distance(right, pcm, from, from + ms * 8);
        compared++;
      }
      return { last: last / compared, recovered: framesRecovered, missing: count(kept) / burst };
    };
    const [withFec, without] = [await outcome(true), await outcome(false)];
    expect(without.recovered).toBe(0);
    expect(withFec.recovered).toBeGreaterThan(withFec.missing * 0.8);
    // After one loss the error is a quarter of what concealment leaves (0.22-0.26 against 0.80-0.99); after several
    // the decoder has lost its thread, which costs the redundancy too.
    expect(withFec.last).toBeLessThan(without.last * (burst === 1 ? 0.35 : 0.7));
  });

  it.each([
    ["the wrap of the sequence numbers", { first: 65_530, start: 0 }],
    ["the wrap of the timestamps", { first: 0, start: 2 ** 32 - 6 * 960 }],
    ["both wraps at once", { first: 65_530, start: 2 ** 32 - 6 * 960 }],
  ])("are covered across %s as anywhere else", async (_name, numbers) => {
    const packets = await encode(voice(0.4), 20);
    const lost = (index: number): boolean => index === 5 || index === 6;
    const { relay, sent, pcm } = await relayed(packets, 20, lost, numbers);
    const plain = await relayed(packets, 20, lost);
    expect(sent).toHaveLength(20);
    expectContinuous(sent);
    expect(pcm).toEqual(plain.pcm);
    expect(relay.session.statistics().browser).toMatchObject({
      packetsLost: 4,
      framesConcealed: 3,
      framesRecovered: 1,
    });
  });

  it.each([
    [6, 0],
    [7, 6],
    [8, 7],
  ])("%i in a row leave a gap of %i frames", async (burst, gap) => {
    const packets = await encode(voice(0.8), 20);
    const { sent } = await relayed(packets, 20, (index) => index >= 10 && index < 10 + burst);
    expect(sent).toHaveLength(40 - gap);
    const steps = sent
      .slice(1)
      .map(({ header }, index) => (header.timestamp - (sent[index]?.header.timestamp ?? 0)) >>> 0);
    expect(steps.filter((step) => step !== 160)).toEqual(gap === 0 ? [] : [(gap + 1) * 160]);
  });

  it("for longer are silence at an even pace from 200 ms on, and their return is no burst", async () => {
    const relay = await RelayDouble.connected(opus, pcmu);
    const packets = await encode(voice(2), 20);
    const sentAt: number[] = [];
    for (const [index, packet] of packets.entries()) {
      const before = relay.sentTo("trunk").length;
      if (index < 20 || index >= 60) relay.fromBrowser(rtp(111, index, index * 960, packet));
      relay.pass(20);
      sentAt.push(relay.sentTo("trunk").length - before);
    }
    expect(sentAt.slice(0, 20)).toEqual(Array(20).fill(1));
    expect(sentAt.slice(32, 60)).toEqual(Array(28).fill(1));
    expect(Math.max(...sentAt)).toBeLessThanOrEqual(2);
    expect(sentAt.slice(61)).toEqual(Array(39).fill(1));
    const sent = relay.sentTo("trunk");
    const span = ((sent.at(-1)?.header.timestamp ?? 0) - (sent[0]?.header.timestamp ?? 0)) >>> 0;
    expect(span).toBe(99 * 160);
  });
});
