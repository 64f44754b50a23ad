import { afterEach, describe, expect, it, vi } from "vitest";
import { OpusSink } from "../../../src/media/codec/opus-sink.ts";
import { Outbound } from "../../../src/media/relay/outbound.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { voice } from "../../support/sound.ts";

afterEach(() => vi.restoreAllMocks());

const opus = { codec: "opus", payloadType: 111 } as const;
const pcmu = { codec: "pcmu", payloadType: 0 } as const;

/** Half a second of voice as packets, at the complexities told from the given frame on. */
async function encode(complexities: Readonly<Record<number, number>>): Promise<string[]> {
  const sink = await OpusSink.create();
  // Only the encoding with FEC gains by complexity; it is in use while the browser reports loss.
  await sink.setLoss(10);
  const sound = voice(0.5, 3);
  const packets: string[] = [];
  for (let frame = 0; frame * 160 < sound.length; frame++) {
    const complexity = complexities[frame];
    if (complexity !== undefined) sink.setComplexity(complexity);
    packets.push(Buffer.from(sink.encode(sound.slice(frame * 160, frame * 160 + 160))).toString("hex"));
  }
  sink.free();
  return packets;
}

describe("an encoder's complexity", () => {
  it("is 1 unless told, and changes from the next frame on", async () => {
    const untold = await encode({});
    expect(await encode({ 0: 1 })).toEqual(untold);
    expect(await encode({ 0: 0 })).not.toEqual(untold);
    const stepped = await encode({ 12: 0 });
    expect(stepped.slice(0, 12)).toEqual(untold.slice(0, 12));
    expect(stepped).not.toEqual(untold);
  });

  it("holds for the line's encoder in use and for the one made after a change of codec", async () => {
    const told: number[] = [];
    vi.spyOn(OpusSink.prototype, "setComplexity").mockImplementation(
      (complexity) => void told.push(complexity),
    );
    const line = new Outbound({ ssrc: 1, random: new CountingRandom(), send: () => true });
    line.setPayload(opus, 0);
    await line.prepareEncoder();
    expect(told).toEqual([]);
    line.setComplexity(0);
    expect(told).toEqual([0]);
    line.setPayload(pcmu, 0);
    line.setComplexity(1);
    expect(told).toEqual([0]);
    line.setPayload(opus, 0);
    await line.prepareEncoder();
    expect(told).toEqual([0, 1]);
    line.close();
  });
});
