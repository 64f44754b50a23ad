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
});
