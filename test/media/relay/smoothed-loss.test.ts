import { describe, expect, it } from "vitest";
import { OpusSink } from "../../../src/media/codec/opus-sink.ts";
import { SmoothedLoss } from "../../../src/media/relay/smoothed-loss.ts";

describe("the loss that receiver reports tell of", () => {
  it("is believed half at once and forgotten slowly", () => {
    const loss = new SmoothedLoss();
    expect([8, 8, 8, 0, 0, 0, 0].map((percent) => loss.take(percent))).toEqual([
      4, 6, 7, 5.25, 3.9375, 2.953125, 2.21484375,
    ]);
  });

  it.each([
    ["one report of 4 % among clean ones", [0, 0, 4, 0, 0, 0], [false, false, false, false, false, false]],
    ["a loss of 5 % that lasts", [5, 5, 5], [false, true, true]],
    ["a heavy loss, at once", [20, 20], [true, true]],
    ["one clean report between lossy ones", [8, 8, 0, 8], [true, true, true, true]],
    [
      "a loss that has passed, after a while",
      [10, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      [true, true, true, true, true, true, true, true, true, false, false],
    ],
    [
      "a loss between the thresholds, which keeps what is",
      [2, 2, 2, 10, 2, 2, 2, 2],
      [false, false, false, true, true, true, true, true],
    ],
  ])("turns redundancy on and off for %s", async (_name, reports, expected) => {
    const loss = new SmoothedLoss();
    const sink = await OpusSink.create();
    const outcome: boolean[] = [];
    for (const percent of reports) {
      await sink.setLoss(loss.take(percent));
      outcome.push(sink.fec);
    }
    expect(outcome).toEqual(expected);
    sink.free();
  });
});
