import { beforeAll, describe, expect, it } from "vitest";
import { transcoding } from "../../../src/media/codec/g711.ts";
import { warmUpOpus } from "../../../src/media/codec/opus.ts";
import type { Payload } from "../../../src/media/contract.ts";
import { pcma, pcmu, opus, RelayDouble, rtp } from "./relay-double.ts";

/** We offered events as 101 and a law as 97; the answer wants them as 96 and 98. */
const renumbered: Payload = {
  codec: "pcmu",
  payloadType: 98,
  receivePayloadType: 97,
  telephoneEvent: { payloadType: 96, clockRate: 8000, receivePayloadType: 101 },
};

const sound = Buffer.alloc(160, 0x33);
const pressOf5 = Buffer.from([5, 0x0a, 0x00, 0xa0]);

beforeAll(() => warmUpOpus(0));

async function renumberedCall(trunk: Payload): Promise<RelayDouble> {
  return RelayDouble.connected(pcmu, trunk);
}

describe("an answer of SIP Server's that renumbers our offer", () => {
  it("is sent to with its numbers", async () => {
    const relay = await renumberedCall(renumbered);
    relay.fromBrowser(rtp(0, 1, 0, sound));
    relay.fromBrowser(rtp(101, 2, 160, pressOf5));
    expect(relay.sentTo("trunk").map(({ header }) => header.payloadType)).toEqual([98, 96]);
  });

  it.each([
    ["the numbers we offered", 97, 101],
    ["the numbers it answered with, as old equipment does", 98, 96],
  ])("is heard under %s", async (_name, audio, event) => {
    const relay = await renumberedCall(renumbered);
    relay.fromTrunk(rtp(audio, 1, 0, sound));
    relay.fromTrunk(rtp(event, 2, 160, pressOf5));
    expect(relay.sentTo("browser").map(({ header }) => header.payloadType)).toEqual([0, 101]);
    expect(relay.told).toContain("dtmf trunk 5");
    expect(relay.session.statistics().trunk.dropped).toEqual({});
  });

  it("means what we offered where one number stands for both", async () => {
    // They want events as 97, which is what our offer calls the law.
    const relay = await renumberedCall({
      ...renumbered,
      telephoneEvent: { payloadType: 97, clockRate: 8000, receivePayloadType: 101 },
    });
    relay.fromTrunk(rtp(97, 1, 0, sound));
    relay.fromTrunk(rtp(101, 2, 160, pressOf5));
    expect(relay.sentTo("browser").map(({ payload }) => payload.length)).toEqual([160, 4]);
    expect(relay.told).toEqual(["connected", "dtmf trunk 5"]);
  });

  it("is heard under both numbers of its law where it took no events", async () => {
    const relay = await renumberedCall({ codec: "pcmu", payloadType: 98, receivePayloadType: 97 });
    relay.fromTrunk(rtp(98, 1, 0, sound));
    relay.fromTrunk(rtp(97, 2, 160, sound));
    expect(relay.sentTo("browser")).toHaveLength(2);
  });

  it("is heard under no other number, and a later description takes the place of the earlier", async () => {
    const relay = await renumberedCall(renumbered);
    relay.fromTrunk(rtp(0, 1, 0, sound));
    relay.describeTrunk({ payload: pcmu });
    relay.fromTrunk(rtp(97, 2, 160, sound));
    expect(relay.sentTo("browser")).toEqual([]);
    expect(relay.session.statistics().trunk.dropped).toEqual({ payloadType: 2 });
    relay.fromTrunk(rtp(0, 3, 320, sound));
    expect(relay.sentTo("browser")).toHaveLength(1);
  });
});

describe("an answer of SIP Server's that takes both laws", () => {
  const both: Payload = { ...pcmu, otherLaw: { codec: "pcma", payloadType: 8 } };

  it("is heard in either, changing as it likes, and sent the first", async () => {
    const relay = await renumberedCall(both);
    for (const [index, payloadType] of [0, 8, 8, 0].entries())
      relay.fromTrunk(rtp(payloadType, index, index * 160, sound));
    const converted = Buffer.alloc(160, transcoding.pcma.pcmu[0x33] ?? 0);
    expect(converted).not.toEqual(sound);
    expect(relay.sentTo("browser").map(({ payload }) => payload)).toEqual([
      sound,
      converted,
      converted,
      sound,
    ]);
    relay.fromBrowser(rtp(0, 1, 0, sound));
    expect(relay.sentTo("trunk").map(({ header }) => header.payloadType)).toEqual([0]);
    expect(relay.session.statistics().trunk.dropped).toEqual({});
  });

  it("is no other for being a browser's", async () => {
    const relay = await RelayDouble.connected(both, pcmu);
    relay.fromBrowser(rtp(8, 1, 0, sound));
    expect(relay.sentTo("trunk")[0]?.payload).toEqual(Buffer.alloc(160, transcoding.pcma.pcmu[0x33] ?? 0));
  });

  it("conceals a loss in the law that came before it", async () => {
    const relay = await renumberedCall(both);
    // Ten, since the first packets after a hole are held: the missing one may only be late.
    for (let index = 0; index < 10; index++)
      if (index !== 5) relay.fromTrunk(rtp(8, index, index * 160, sound));
    const concealed = relay.sentTo("browser")[5]?.payload ?? Buffer.alloc(0);
    // The first 10 ms are as loud as what was heard, which is constant.
    expect(concealed.subarray(0, 80)).toEqual(Buffer.alloc(80, transcoding.pcma.pcmu[0x33] ?? 0));
  });

  it("is told from one that takes the first alone", async () => {
    const relay = await RelayDouble.connected(opus, both);
    relay.describeTrunk({ payload: pcmu });
    await relay.settle();
    relay.fromTrunk(rtp(0, 1, 0, sound));
    relay.fromTrunk(rtp(8, 2, 160, sound));
    expect(relay.sentTo("browser")).toHaveLength(1);
    expect(relay.session.statistics().trunk.dropped).toEqual({ payloadType: 1 });
    relay.describeTrunk({ payload: pcma });
    await relay.settle();
    relay.fromTrunk(rtp(8, 3, 320, sound));
    expect(relay.sentTo("browser")).toHaveLength(2);
  });
});
