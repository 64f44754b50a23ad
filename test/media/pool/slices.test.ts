import { describe, expect, it } from "vitest";
import { divide } from "../../../src/media/pool/slices.ts";

function options(overrides: Partial<Parameters<typeof divide>[0]> = {}): Parameters<typeof divide>[0] {
  return { browserPort: 20_100, rtpPorts: [10_000, 19_999], workers: 4, ...overrides };
}

describe("sharing out the ports", () => {
  it("gives each worker its browser port and an equal slice of whole pairs", () => {
    const slices = divide(options());
    expect(slices.map(({ browserPort }) => browserPort)).toEqual([20_100, 20_101, 20_102, 20_103]);
    expect(slices.map(({ rtpPorts }) => rtpPorts)).toEqual([
      [10_000, 12_499],
      [12_500, 14_999],
      [15_000, 17_499],
      [17_500, 19_999],
    ]);
  });

  it.each([
    [
      [10_001, 10_005],
      [10_002, 10_005],
    ],
    [
      [10_001, 10_004],
      [10_002, 10_003],
    ],
    [
      [10_000, 10_001],
      [10_000, 10_001],
    ],
    [
      [10_000, 10_006],
      [10_000, 10_005],
    ],
  ] as const)("starts at an even port and ends at an odd one: %j becomes %j", (rtpPorts, slice) => {
    expect(divide(options({ rtpPorts, workers: 1 }))[0]?.rtpPorts).toEqual(slice);
  });

  it("leaves browser port 0 to the system for each worker", () => {
    expect(divide(options({ browserPort: 0 })).map(({ browserPort }) => browserPort)).toEqual([0, 0, 0, 0]);
  });

  it.each([
    ["overlapping ranges", { browserPort: 10_000 }, "overlaps"],
    ["a browser port inside by its last worker", { browserPort: 9_997 }, "overlaps"],
    ["a browser port inside at the end", { browserPort: 19_999 }, "overlaps"],
    ["no workers", { workers: 0 }, "at least one"],
    ["half a worker", { workers: 1.5 }, "at least one"],
    ["port 0 for RTP", { rtpPorts: [0, 100] }, "1 to 65535"],
    ["ports beyond 65535", { rtpPorts: [65_000, 70_000] }, "1 to 65535"],
    ["a fraction of a port", { rtpPorts: [1000.5, 2000] }, "1 to 65535"],
    ["browser ports beyond 65535", { browserPort: 65_534 }, "1 to 65535"],
    ["fewer pairs than workers", { rtpPorts: [10_000, 10_005] }, "3 pairs for 4 workers"],
    ["a range turned round", { rtpPorts: [11_000, 10_000] }, "0 pairs"],
    ["one odd port", { rtpPorts: [10_001, 10_001], workers: 1 }, "0 pairs"],
  ] as const)("refuses %s", (_name, overrides, words) => {
    expect(() => divide(options(overrides))).toThrow(RangeError);
    expect(() => divide(options(overrides))).toThrow(words);
  });

  it("takes browser ports right beside the range", () => {
    expect(() => divide(options({ browserPort: 9_996 }))).not.toThrow();
    expect(() => divide(options({ browserPort: 20_000 }))).not.toThrow();
  });
});
