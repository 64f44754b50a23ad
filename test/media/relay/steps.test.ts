import { describe, expect, it } from "vitest";
import { MediaSteps } from "../../../src/media/relay/steps.ts";
import type { MediaStep } from "../../../src/media/index.ts";

function open() {
  const told: MediaStep[] = [];
  return { told, steps: new MediaSteps((step) => told.push(step)) };
}

describe("the steps a media session tells", () => {
  it("have the first packet of each side and each way once, a packet not sent being none", () => {
    const { told, steps } = open();
    expect(steps.sent("trunk", false)).toBe(false);
    for (let packet = 0; packet < 100; packet++) {
      steps.heard("browser");
      steps.heard("trunk");
      expect(steps.sent("browser", true)).toBe(true);
      steps.sent("trunk", true);
    }
    expect(told).toEqual([
      { step: "first-packet", side: "browser", way: "from" },
      { step: "first-packet", side: "trunk", way: "from" },
      { step: "first-packet", side: "browser", way: "to" },
      { step: "first-packet", side: "trunk", way: "to" },
    ]);
  });

  it("are bounded for a browser that changes its address without end", () => {
    const { told, steps } = open();
    for (let port = 1; port < 1000; port++) steps.tell({ step: "ice", address: "192.0.2.77", port });
    steps.heard("browser");
    expect(told).toHaveLength(33);
  });

  it("have each stop of a way's packets after two seconds, and the first packet after it", () => {
    const { told, steps } = open();
    const rtp = (flows: boolean) => ({ step: "rtp", side: "trunk", way: "from", flows });
    steps.look(0, undefined);
    steps.heard("trunk");
    for (let now = 20; now <= 2000; now += 20) steps.look(now, undefined);
    expect(told).toHaveLength(1);
    steps.look(2020, undefined);
    steps.look(9000, undefined);
    expect(told.slice(1)).toEqual([rtp(false)]);
    steps.heard("trunk");
    steps.heard("trunk");
    steps.look(9020, undefined);
    expect(told.slice(1)).toEqual([rtp(false), rtp(true)]);
    for (let turn = 1; turn < 1000; turn++) {
      steps.look(10_000 * turn, undefined);
      steps.look(10_000 * turn + 5000, undefined);
      steps.heard("trunk");
    }
    expect(told.length).toBeLessThan(70);
  });

  it("have the browser's consent lost after seven seconds without a check, and back", () => {
    const { told, steps } = open();
    for (const [now, consentAt] of [
      [20_000, undefined],
      [20_000, 14_000],
      [20_000, 12_000],
      [21_000, 12_000],
      [21_000, undefined],
      [22_000, 21_500],
    ] as const)
      steps.look(now, consentAt);
    expect(told).toEqual([
      { step: "consent", lost: true },
      { step: "consent", lost: false },
    ]);
  });
});
