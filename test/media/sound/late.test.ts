import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { warmUpOpus } from "../../../src/media/codec/opus.ts";
import { run } from "./lossy.ts";
import { jitter } from "./network.ts";
import { Results } from "./results.ts";
import { jitter as jitterBounds, type PathName } from "./thresholds.ts";

// Seconds of speech through real codecs, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });
const results = new Results("sound-late");
beforeAll(() => warmUpOpus(0));
afterAll(() => results.print());

const paths: readonly PathName[] = ["pcmu", "opus from browser", "opus to browser"];

describe.each(paths)("speech in packets that come late (%s)", (path) => {
  it("by 0 to 60 ms, in order, is that of the clean path", async () => {
    const { clean, relay, heard } = await run(results, {
      path,
      name: "jitter 0-60 ms",
      network: (count) => jitter(count, 60, 7),
    });
    expect(relay.lag).toBe(clean.lag);
    expect(relay.snr).toBeGreaterThan(clean.snr - jitterBounds.snrLostDb);
    expect(relay.stoi).toBeGreaterThan(clean.stoi - jitterBounds.stoiLost);
    expect(heard.statistics).toMatchObject({ framesConcealed: 0, framesRecovered: 0, dropped: {} });
  });
});
