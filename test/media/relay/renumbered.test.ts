import { describe, expect, it } from "vitest";
import type { Payload } from "../../../src/media/contract.ts";
import { pcmu, RelayDouble, rtp } from "./relay-double.ts";

/** We offered events as 101 and a law as 97; the answer wants them as 96 and 98. */
const renumbered: Payload = {
  codec: "pcmu",
  payloadType: 98,
  receivePayloadType: 97,
  telephoneEvent: { payloadType: 96, clockRate: 8000, receivePayloadType: 101 },
};

const sound = Buffer.alloc(160, 0x33);
const pressOf5 = Buffer.from([5, 0x0a, 0x00, 0xa0]);

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
