import { beforeAll, describe, expect, it } from "vitest";
import { warmUpOpus } from "../../../src/media/codec/opus.ts";
import { toCodes, voice } from "../../support/sound.ts";
import { g722, opus, pcma, pcmu, RelayDouble, rtp, type Sent } from "./relay-double.ts";

const codes = toCodes(voice(3), "pcmu");

/** Sends `ms` of the codes from the browser in packets of 20 ms, from `start` (ms). */
function speak(relay: RelayDouble, start: number, ms: number): void {
  for (let at = start; at < start + ms; at += 20) {
    relay.fromBrowser(rtp(0, at / 20, at * 8, codes.subarray(at * 8, at * 8 + 160)));
    relay.pass(20);
  }
}

/** That packets join end to end: by sequence number, and by timestamp with one octet for each tick. */
function expectJoined(sent: readonly Sent[]): void {
  sent.forEach(({ header }, index) => {
    const before = sent[index - 1];
    if (!before) return;
    expect(header.sequence).toBe((before.header.sequence + 1) & 0xffff);
    expect((header.timestamp - before.header.timestamp) >>> 0).toBe(before.payload.length);
    expect(header.marker).toBe(false);
  });
}

const lengths = (sent: readonly Sent[]): number[] => sent.map(({ payload }) => payload.length);
const soundOf = (sent: readonly Sent[]): Buffer => Buffer.concat(sent.map(({ payload }) => payload));

beforeAll(() => warmUpOpus(0));

describe("packets toward SIP Server", () => {
  it.each([10, 20, 30, 40, 50, 60])("have %i ms each where it asks for them", async (packetMs) => {
    const relay = await RelayDouble.connected(pcmu, { ...pcmu, packetMs });
    speak(relay, 0, 1200);
    const sent = relay.sentTo("trunk");
    expect(lengths(sent)).toEqual(Array(1200 / packetMs).fill(packetMs * 8));
    expectJoined(sent);
    expect(soundOf(sent)).toEqual(codes.subarray(0, 9600));
  });

  it.each([10, 30, 60])("of G.722 have %i ms each too", async (packetMs) => {
    const relay = await RelayDouble.connected(pcmu, { ...g722, packetMs });
    speak(relay, 0, 600);
    expect(lengths(relay.sentTo("trunk"))).toEqual(Array(600 / packetMs).fill(packetMs * 8));
    expectJoined(relay.sentTo("trunk"));
  });

  it("change their length in mid-call with no octet lost, doubled or moved", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    let at = 0;
    for (const packetMs of [undefined, 60, 10, 50, 20, 40, 30]) {
      relay.describeTrunk({ payload: packetMs === undefined ? pcmu : { ...pcmu, packetMs } });
      await relay.settle();
      speak(relay, at, 140);
      at += 140;
    }
    const sent = relay.sentTo("trunk");
    expectJoined(sent);
    const sound = soundOf(sent);
    expect(sound.length).toBeGreaterThanOrEqual((at - 30) * 8);
    expect(sound).toEqual(codes.subarray(0, sound.length));
    expect(new Set(lengths(sent).map((length) => length / 8))).toEqual(new Set([20, 60, 40, 10, 50, 30]));
  });

  it("are filled with silence of the same length while the browser is quiet", async () => {
    const relay = await RelayDouble.connected(pcmu, { ...pcmu, packetMs: 60 });
    speak(relay, 0, 180);
    relay.pass(1200);
    const sent = relay.sentTo("trunk");
    expect(sent.length).toBeGreaterThan(15);
    // One packet may end early where the silence began.
    expect(lengths(sent).filter((length) => length !== 480).length).toBeLessThanOrEqual(1);
    expect(sent.at(-1)?.payload).toEqual(Buffer.alloc(480, 0xff));
  });

  it("never overlap a key press, and their sound goes on behind it", async () => {
    const relay = await RelayDouble.connected(pcmu, { ...pcmu, packetMs: 60 });
    speak(relay, 0, 200);
    const press = (duration: number, end: boolean): Buffer =>
      Buffer.from([5, end ? 0x8a : 0x0a, duration >> 8, duration & 0xff]);
    for (let packet = 0; packet < 5; packet++) {
      relay.fromBrowser(rtp(101, 10 + packet, 1600, press(160 * (packet + 1), packet === 4)));
      relay.pass(20);
    }
    for (let at = 300; at < 600; at += 20) {
      relay.fromBrowser(rtp(0, at / 20, at * 8, codes.subarray(at * 8, at * 8 + 160)));
      relay.pass(20);
    }
    const sent = relay.sentTo("trunk");
    const audio = sent.filter(({ header }) => header.payloadType === 0);
    const event = sent.find(({ header }) => header.payloadType === 101);
    const start = event?.header.timestamp ?? 0;
    for (const { header, payload } of audio) {
      const from = (header.timestamp - start) | 0;
      expect(from + payload.length <= 0 || from >= 800).toBe(true);
    }
    // The 20 ms begun before the press were sent, not kept for after it.
    expect(lengths(audio.filter(({ header }) => ((header.timestamp - start) | 0) < 0))).toEqual([
      480, 480, 480, 160,
    ]);
    expect(audio.length).toBeGreaterThanOrEqual(8);
  });
});

describe("packets from SIP Server", () => {
  it.each([
    ["PCMU", pcmu, 160, 1],
    ["Opus", opus, 960, 6],
  ])("of any mixture of lengths reach a browser of %s as 20 ms frames", async (_name, browser, step) => {
    const relay = await RelayDouble.connected(browser, pcmu);
    const mixture = [60, 10, 10, 30, 20, 50, 40, 10, 60, 30, 10, 50, 20, 40, 10];
    let at = 0;
    let sequence = 0;
    for (let round = 0; round < 4; round++)
      for (const ms of mixture) {
        relay.fromTrunk(rtp(0, sequence++, at * 8, codes.subarray(at * 8, (at + ms) * 8)));
        at += ms;
        relay.pass(ms);
      }
    const sent = relay.sentTo("browser");
    expect(sent).toHaveLength(Math.floor(at / 20));
    sent.forEach(({ header }, index) => {
      expect(header.timestamp).toBe(((sent[0]?.header.timestamp ?? 0) + index * step) >>> 0);
      expect(header.sequence).toBe(((sent[0]?.header.sequence ?? 0) + index) & 0xffff);
    });
    if (browser === pcmu) expect(soundOf(sent)).toEqual(codes.subarray(0, sent.length * 160));
  });

  it("of 60 ms that are lost are covered whole", async () => {
    const relay = await RelayDouble.connected(opus, pcma);
    for (let index = 0; index < 20; index++) {
      if (index !== 7)
        relay.fromTrunk(rtp(8, index, index * 480, codes.subarray(index * 480, index * 480 + 480)));
      relay.pass(60);
    }
    expect(relay.sentTo("browser")).toHaveLength(60);
    expect(relay.session.statistics().trunk.framesConcealed).toBe(1);
  });
});
