import { createEncoder } from "libopus-wasm";
import { beforeAll, describe, expect, it } from "vitest";
import { warmUpOpus } from "../../../src/media/codec/opus.ts";
import type { Side } from "../../../src/media/contract.ts";
import { timestampDistance } from "../../../src/media/rtp/packet.ts";
import { toCodes, voice } from "../../support/sound.ts";
import { opus, parse, pcmu, RelayDouble, rtp } from "./relay-double.ts";

beforeAll(() => warmUpOpus(0));

const speech = toCodes(voice(20), "pcmu");
/** A noise without a quiet place in it. */
const noise = toCodes(
  Int16Array.from(
    { length: 16_000 },
    (_, index) => ((Math.imul(index + 1, 2_654_435_761) >>> 16) % 4000) - 2000,
  ),
  "pcmu",
);

interface Line {
  /** How far the line's timestamps stand ahead of our clock, ms, for each packet, against the first. */
  readonly ahead: readonly number[];
  readonly corrections: number;
  readonly ppm: number | undefined;
}

interface Source {
  readonly from?: Side;
  readonly ppm: number;
  readonly seconds?: number;
  readonly sound?: Buffer;
  /** ms that the packet sent at `ms` is under way longer than the quickest. */
  readonly delay?: (ms: number) => number;
  readonly pauses?: boolean;
  readonly packets?: readonly Uint8Array[];
}

/** Ten minutes of a source whose clock is wrong; checks that numbers and timestamps never jump. */
async function listen({
  from = "browser",
  ppm,
  seconds = 600,
  sound = speech,
  delay = () => 0,
  pauses = false,
  packets,
}: Source): Promise<Line> {
  const relay = await RelayDouble.connected(packets ? opus : pcmu, pcmu);
  const out = from === "browser" ? "trunk" : "browser";
  const ahead: number[] = [];
  let first: { timestamp: number; at: number } | undefined;
  let jumps = 0;
  let last = { sequence: 0, timestamp: 0 };
  const take = (): void => {
    const toTrunk = relay.trunk.rtp.splice(0).map(({ packet }) => packet);
    for (const packet of out === "trunk" ? toTrunk : relay.transport.rtp.splice(0)) {
      const { header } = parse(packet);
      const step = timestampDistance(header.timestamp, last.timestamp);
      if (
        first &&
        (((header.sequence - last.sequence) & 0xffff) !== 1 || (pauses ? step <= 0 : step !== 160))
      )
        jumps++;
      first ??= { timestamp: header.timestamp, at: relay.clock.now() };
      last = header;
      ahead.push(timestampDistance(header.timestamp, first.timestamp) / 8 - (relay.clock.now() - first.at));
    }
  };
  let sequence = 60_000;
  for (let index = 0; index * 20 < seconds * 1000; index++) {
    const sentAt = (index * 20) / (1 + ppm / 1e6);
    const at = 10 + sentAt + delay(sentAt);
    if (at > relay.clock.now()) relay.pass(at - relay.clock.now());
    // A second of talk, a second of nothing sent, with numbers that go on.
    if (pauses && index % 100 >= 50) continue;
    const offset = (index * 160) % sound.length;
    relay.from(
      from,
      packets
        ? rtp(
            111,
            sequence++,
            2 ** 32 - 48_000_000 + index * 960,
            packets[index % packets.length] ?? Buffer.alloc(0),
          )
        : rtp(0, sequence++, 2 ** 32 - 8_000_000 + index * 160, sound.subarray(offset, offset + 160)),
    );
    take();
  }
  expect(jumps).toBe(0);
  const { driftCorrections, driftPpm } = relay.session.statistics()[from];
  return { ahead, corrections: driftCorrections, ppm: driftPpm };
}

const least = (values: readonly number[]): number => values.reduce((one, other) => Math.min(one, other));
const most = (values: readonly number[]): number => values.reduce((one, other) => Math.max(one, other));

describe("a source whose clock is wrong by 200 ppm, over ten minutes", () => {
  it.each([
    ["browser", 200],
    ["browser", -200],
    ["trunk", 200],
    ["trunk", -200],
  ] as const)("%s, %i ppm: the line stays within a frame and a bit of our clock", async (from, ppm) => {
    const { ahead, corrections, ppm: told } = await listen({ from, ppm });
    // Uncorrected it would be 120 ms.
    expect(most(ahead)).toBeLessThan(24);
    expect(least(ahead)).toBeGreaterThan(-24);
    expect([5, 6]).toContain(corrections);
    expect(told).toBeCloseTo(ppm, 0);
  });

  it("speaking Opus it is corrected as well", async () => {
    const encoder = await createEncoder({ sampleRate: 8000, channels: 1, application: 2048, complexity: 0 });
    const sound = voice(5);
    const packets = Array.from({ length: 250 }, (_, index) =>
      Uint8Array.from(encoder.encode(sound.subarray(index * 160, index * 160 + 160))),
    );
    encoder.free();
    const { ahead, corrections } = await listen({ ppm: 200, packets });
    expect(most(ahead)).toBeLessThan(24);
    expect([5, 6]).toContain(corrections);
  });

  it("that is never quiet is corrected in the quietest place there is, at the latest after two frames", async () => {
    for (const ppm of [200, -200]) {
      const { ahead, corrections } = await listen({ ppm, sound: noise });
      expect(most(ahead.map(Math.abs))).toBeLessThan(42);
      expect(corrections).toBeGreaterThanOrEqual(5);
    }
  });

  it("that pauses is corrected in its pauses", async () => {
    for (const ppm of [200, -200]) {
      const { ahead, corrections } = await listen({ ppm, sound: noise, pauses: true, from: "trunk" });
      expect(most(ahead.map(Math.abs))).toBeLessThan(24);
      expect([5, 6]).toContain(corrections);
    }
  });

  it.each([
    ["40 ms of jitter", (ms: number) => ((ms * 7919) % 1000) / 25],
    ["a path longer by 60 ms from the middle on", (ms: number) => (ms < 300_000 ? 0 : 60)],
  ])("whose clock is right is left alone in spite of %s", async (_name, delay) => {
    const { corrections } = await listen({ ppm: 0, delay });
    expect(corrections).toBe(0);
  });
});
