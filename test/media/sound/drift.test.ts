import { afterAll, describe, expect, it, vi } from "vitest";
import { runDrift } from "./drift-run.ts";
import { Results } from "./results.ts";
import { drift } from "./thresholds.ts";

// Seconds of speech through real codecs, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });
const results = new Results("sound-drift");
afterAll(() => results.print());

describe.each([200, -200])("ten minutes of a sender whose clock is wrong by %d ppm", (ppm) => {
  it("are relayed packet by packet: nothing late, nothing made up, every word as it was said", async () => {
    const { packets, sent, statistics, stretches, aheadMs, markers, jumps } = await runDrift(ppm);
    const least = (figure: "snr" | "stoi"): number =>
      Math.min(...stretches.map((stretch) => stretch[figure]));
    results.add({
      path: "pcmu",
      scenario: `drift ${ppm} ppm, 10 min`,
      snr: least("snr"),
      stoi: least("stoi"),
      note: `${packets} in, ${sent} out, line ${aheadMs.toFixed(0)} ms ahead of the clock`,
    });
    // No more than two frames from the clock, where six would have run up.
    expect(Math.abs(aheadMs)).toBeLessThanOrEqual(40);
    expect(Math.abs(sent - packets)).toBeLessThanOrEqual(drift.mostStretchesTouched);
    expect({ markers, jumps }).toEqual({ markers: 1, jumps: 0 });
    expect(statistics).toMatchObject({ packetsLost: 0, framesRecovered: 0 });
    expect(statistics.dropped).toEqual({});
    expect(stretches.length).toBeGreaterThanOrEqual(19);
    const touched = stretches.filter(({ snr, stoi }) => snr < drift.snr || stoi < drift.stoi);
    expect(touched.length).toBeLessThanOrEqual(drift.mostStretchesTouched);
  });
});
