import { beforeAll, describe, expect, it, vi } from "vitest";
import { OpusSink } from "../../../src/media/codec/opus-sink.ts";
import { OpusSource, opusSamples, warmUpOpus } from "../../../src/media/codec/opus.ts";
import { speech } from "../../support/speech.ts";
import { encodeAsBrowser } from "../sound/browser-codec.ts";
import { fuzz } from "./harness.ts";
import { mutant } from "./mutate.ts";

vi.setConfig({ testTimeout: 300_000 });
beforeAll(() => warmUpOpus(50));

describe("an Opus decoder fed with corrupt packets", () => {
  it("makes sound of the length the packet told or none, and hurts no other call's codec", async () => {
    const packets = (await encodeAsBrowser(speech(1, 4), { fec: true, lossPercent: 20 })).map((packet) =>
      Buffer.from(packet),
    );
    const music = await celtPackets();
    const decoder = await OpusSource.create();
    const neighbour = await OpusSource.create();
    const reference = await OpusSource.create();
    const expected = packets.map((packet) => Array.from(reference.decode(packet) ?? []));
    let place = 0;
    let decoded = 0;
    const { stalls } = await fuzz({
      name: "Opus payloads",
      share: 0.05,
      make: (pick) => mutant(pick, [...packets, ...music], 1400),
      feed: (input, index) => {
        const told = opusSamples(input, 0, input.length);
        // As the relay: what is too long or empty is not given to the decoder.
        if (told === 0) return;
        const pcm = index % 5 === 0 ? decoder.recover(input, Math.min(told, 480)) : decoder.decode(input);
        if (!pcm) return;
        decoded++;
        const wanted = index % 5 === 0 ? Math.min(told, 480) : told;
        if (pcm.length !== wanted) throw new Error(`${pcm.length} samples instead of ${wanted}`);
        if (index % 11 === 0) decoder.conceal(160);
      },
      everyInputs: 20,
      check: () => {
        // The neighbour hears its own call bit by bit as if nothing were.
        if (place === packets.length) return;
        expect(Array.from(neighbour.decode(packets[place] ?? Buffer.alloc(0)) ?? [])).toEqual(
          expected[place],
        );
        place++;
      },
    });
    expect(stalls).toEqual([]);
    expect(decoded).toBeGreaterThan(100);
    expect(place).toBe(packets.length);
    expect(decoder.decode(packets[0] ?? Buffer.alloc(0))).toHaveLength(160);
    for (const source of [decoder, neighbour, reference]) source.free();
  });
});

/** Packets of our own encoder, of another mode than the browser's. */
async function celtPackets(): Promise<Buffer[]> {
  const sink = await OpusSink.create();
  const sound = speech(0.2, 6);
  const packets = Array.from({ length: 10 }, (_, index) =>
    Buffer.from(sink.encode(sound.subarray(index * 160, index * 160 + 160))),
  );
  sink.free();
  return packets;
}
