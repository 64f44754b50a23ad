import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { warmUpOpus } from "../../../src/media/codec/opus.ts";
import { run } from "./lossy.ts";
import { disorder, inTime, jitter, reordered, type Arrival } from "./network.ts";
import { Results } from "./results.ts";
import {
  disorder as disorderBounds,
  phone as phoneBounds,
  randomLoss as lossBounds,
  reordered as reorderedBounds,
  type PathName,
} from "./thresholds.ts";

// Seconds of speech through real codecs, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });
const results = new Results("sound-repair");
beforeAll(() => warmUpOpus(0));
afterAll(() => results.print());

const paths: readonly PathName[] = ["pcmu", "opus from browser", "opus to browser"];

describe.each(paths)("speech in packets that change places (%s)", (path) => {
  it.each([1, 2])("with the one %d after them is that of the clean path", async (places) => {
    const { clean, relay, covered, stoiUndone, heard } = await run(results, {
      path,
      name: `repair: 5 % back by ${places}`,
      network: (count) => reordered(count, 5, places, 70 + places),
    });
    expect(heard.missing.length).toBeGreaterThan(10);
    expect(relay.lag).toBe(clean.lag);
    expect(relay.snr).toBeGreaterThan(clean.snr - reorderedBounds.snrLostDb);
    expect(covered).toBeGreaterThan(lossBounds[path].coveredGainDb);
    expect(stoiUndone).toBeGreaterThan(reorderedBounds.stoiUndone);
    expect(heard.statistics.packetsLost).toBe(0);
  });

  it("as 0-60 ms of delay without order make them come mostly right", async () => {
    const { clean, relay, nothing, stoiUndone } = await run(results, {
      path,
      name: "repair: 0-60 ms, no order",
      network: (count) => disorder(count, 60, 8),
    });
    expect(relay.lag).toBe(clean.lag);
    expect(relay.stoi).toBeGreaterThan(nothing.stoi + 0.05);
    expect(stoiUndone).toBeGreaterThan(disorderBounds.stoiUndone);
  });

  it("costs packets in order no delay: each goes out in the turn it came in", async () => {
    const { heard } = await run(results, {
      path,
      name: "repair: nothing to do",
      network: inTime,
    });
    expect(heard.statistics).toMatchObject({ framesConcealed: 0, dropped: {} });
  });
});

describe("speech to a phone that buffers 20 ms, over a network of 0-60 ms of jitter", () => {
  it("is whole with the adaptive jitter buffer and torn without", async () => {
    const scenario = {
      path: "opus from browser",
      network: (count: number): Arrival[] => jitter(count, 60, 7),
      phoneBufferMs: 20,
    } as const;
    const without = await run(results, {
      ...scenario,
      name: "phone, buffer off",
    });
    const relay = { jitterBuffer: true };
    const withBuffer = await run(results, {
      ...scenario,
      name: "phone, buffer adaptive",
      relay,
    });
    // The first second, in which the buffer learns, is in it too.
    expect(withBuffer.relay.stoi).toBeGreaterThan(without.relay.stoi + phoneBounds.stoiGain);
    expect(withBuffer.relay.stoi).toBeGreaterThan(withBuffer.clean.stoi - phoneBounds.stoiLost);
  });
});
