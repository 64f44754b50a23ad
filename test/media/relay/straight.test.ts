import { describe, expect, it } from "vitest";
import { toCodes, voice } from "../../support/sound.ts";
import { pcma, pcmu, RelayDouble, rtp } from "./relay-double.ts";
import { transcoding } from "../../../src/media/codec/g711.ts";

const codes = toCodes(voice(2), "pcmu");
const frame = (index: number): Buffer => codes.subarray(index * 160, index * 160 + 160);

describe("a straight-through call", () => {
  it("carries every payload bit-exact both ways on one continuous line", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    for (let index = 0; index < 100; index++) {
      relay.fromBrowser(rtp(0, 500 + index, 1000 + index * 160, frame(index)));
      relay.fromTrunk(rtp(0, 65500 + index, 0xffffff00 + index * 160, frame(99 - index), { ssrc: 77 }));
      relay.pass(20);
    }
    for (const side of ["browser", "trunk"] as const) {
      const sent = relay.sentTo(side);
      expect(sent).toHaveLength(100);
      expect(Buffer.concat(sent.map(({ payload }) => payload))).toEqual(
        Buffer.concat(sent.map((_, index) => frame(side === "trunk" ? index : 99 - index))),
      );
      sent.forEach(({ header }, index) => {
        expect(header.sequence).toBe(((sent[0]?.header.sequence ?? 0) + index) & 0xffff);
        expect(header.timestamp).toBe(((sent[0]?.header.timestamp ?? 0) + index * 160) >>> 0);
        expect(header.marker).toBe(index === 0);
        expect(header.ssrc).toBe(sent[0]?.header.ssrc);
      });
    }
  });

  it("sends each packet in the turn in which it came, with no time passing", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.fromBrowser(rtp(0, 1, 0, frame(0)));
    expect(relay.sentTo("trunk")).toHaveLength(1);
    relay.fromTrunk(rtp(0, 1, 0, frame(0)));
    expect(relay.sentTo("browser")).toHaveLength(1);
  });

  it("converts between the laws by table", async () => {
    const relay = await RelayDouble.connected(pcmu, pcma);
    relay.fromBrowser(rtp(0, 1, 0, frame(3)));
    relay.fromTrunk(rtp(8, 1, 0, frame(4)));
    const [toTrunk] = relay.sentTo("trunk");
    const [toBrowser] = relay.sentTo("browser");
    expect(toTrunk?.header.payloadType).toBe(8);
    expect(toTrunk?.payload).toEqual(Buffer.from(frame(3).map((code) => transcoding.pcmu.pcma[code] ?? 0)));
    expect(toBrowser?.header.payloadType).toBe(0);
    expect(toBrowser?.payload).toEqual(Buffer.from(frame(4).map((code) => transcoding.pcma.pcmu[code] ?? 0)));
  });
});
