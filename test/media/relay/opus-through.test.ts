import { beforeAll, describe, expect, it } from "vitest";
import { warmUpOpus } from "../../../src/media/codec/opus.ts";
import type { Payload } from "../../../src/media/contract.ts";
import { opus, RelayDouble, rtp } from "./relay-double.ts";

/** One frame of 20 ms: SILK, wide band, mono. */
const frame = Buffer.from([0x48, 0x0b, 0xe4, 0xc1, 0x36, 0xec, 0xc5, 0x80]);
const press = (duration: number, end = false): Buffer =>
  Buffer.from([7, end ? 0x8a : 0x0a, duration >> 8, duration & 0xff]);
const trunkWith = (payloadType: number, clockRate: 8000 | 48000): Payload => ({
  codec: "opus",
  payloadType: 120,
  receivePayloadType: 109,
  telephoneEvent: { payloadType, clockRate },
});

beforeAll(() => warmUpOpus(0));

describe("a key press beside Opus that passes as it is", () => {
  it.each([
    [48000 as const, 960],
    [8000 as const, 160],
  ])("goes to SIP Server at %i and comes from there", async (clockRate, duration) => {
    const relay = await RelayDouble.connected(opus, trunkWith(100, clockRate));
    relay.fromBrowser(rtp(111, 1, 0, frame));
    relay.pass(20);
    relay.fromBrowser(rtp(110, 2, 960, press(960)));
    relay.fromTrunk(rtp(100, 1, 0, press(duration)));
    const toTrunk = relay.sentTo("trunk");
    expect(toTrunk.map(({ header }) => header.payloadType)).toEqual([120, 100]);
    expect(toTrunk[1]?.payload.readUInt16BE(2)).toBe(duration);
    // Where the press begins is told by the line's clock, Opus' own, as browsers do.
    expect(((toTrunk[1]?.header.timestamp ?? 0) - (toTrunk[0]?.header.timestamp ?? 0)) >>> 0).toBe(960);
    const [toBrowser] = relay.sentTo("browser");
    expect(toBrowser?.header.payloadType).toBe(110);
    expect(toBrowser?.payload.readUInt16BE(2)).toBe(960);
    expect(relay.told).toEqual(["connected", "dtmf browser 7", "dtmf trunk 7"]);
  });

  it("stands in for the sound, which goes on behind it", async () => {
    const relay = await RelayDouble.connected(opus, trunkWith(100, 48000));
    for (let packet = 0; packet < 10; packet++) {
      const at = packet * 960;
      if (packet >= 3 && packet < 7)
        relay.fromBrowser(rtp(110, packet, 2880, press(960 * (packet - 2), packet === 6)));
      else relay.fromBrowser(rtp(111, packet, at, frame));
      relay.pass(20);
    }
    const sent = relay.sentTo("trunk");
    const start = sent[0]?.header.timestamp ?? 0;
    const audio = sent.filter(({ header }) => header.payloadType === 120);
    expect(audio.map(({ header }) => ((header.timestamp - start) >>> 0) / 960)).toEqual([0, 1, 2, 7, 8, 9]);
    const events = sent.filter(({ header }) => header.payloadType === 100);
    expect(new Set(events.map(({ header }) => ((header.timestamp - start) >>> 0) / 960))).toEqual(
      new Set([3]),
    );
  });
});

describe("Opus under another number in each direction", () => {
  it("passes both ways, with the browser renumbered too", async () => {
    const browser: Payload = {
      codec: "opus",
      payloadType: 96,
      receivePayloadType: 111,
      telephoneEvent: { payloadType: 99, clockRate: 48000, receivePayloadType: 110 },
    };
    const relay = await RelayDouble.connected(browser, trunkWith(100, 48000));
    relay.fromBrowser(rtp(111, 1, 0, frame));
    relay.fromBrowser(rtp(110, 2, 960, press(960)));
    relay.fromTrunk(rtp(109, 1, 0, frame));
    relay.fromTrunk(rtp(100, 2, 960, press(960)));
    expect(relay.sentTo("trunk").map(({ header }) => header.payloadType)).toEqual([120, 100]);
    expect(relay.sentTo("browser").map(({ header }) => header.payloadType)).toEqual([96, 99]);
    expect(relay.session.statistics().browser.dropped).toEqual({});
    expect(relay.session.statistics().trunk.dropped).toEqual({});
  });
});
