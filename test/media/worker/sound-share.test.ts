import { describe, expect, it } from "vitest";
import { SoundShare } from "../../../src/media/worker/sound-share.ts";

/** What a call counts for after seconds in which its sides sent so many packets. */
function shareAfter(...seconds: readonly (readonly [browser: number, trunk: number])[]): number {
  const sound = new SoundShare();
  const packets = { browser: 0, trunk: 0 };
  for (const [browser, trunk] of seconds) {
    packets.browser += browser;
    packets.trunk += trunk;
    sound.look(packets, 1000);
  }
  return sound.share;
}

describe("how much of a call sounds", () => {
  it("is half for each side that sends", () => {
    expect(shareAfter([50, 50], [50, 50])).toBe(1);
    expect(shareAfter([0, 50], [0, 50])).toBe(0.5);
    expect(shareAfter([0, 0], [0, 0])).toBe(0);
  });

  it("is nothing before a side has sent for a whole interval: the load does not show it all", () => {
    expect(shareAfter([0, 0], [30, 30])).toBe(0);
  });

  it("ends with the sound", () => {
    expect(shareAfter([50, 50], [50, 50], [50, 3])).toBe(0.5);
  });

  it("takes the longest frames for sound and what DTX sends in silence not", () => {
    expect(shareAfter([9, 9], [8, 8])).toBe(1);
    expect(shareAfter([5, 5], [5, 5])).toBe(0);
  });

  it("goes by the time that has passed", () => {
    const sound = new SoundShare();
    sound.look({ browser: 20, trunk: 20 }, 3000);
    sound.look({ browser: 40, trunk: 40 }, 3000);
    expect(sound.share).toBe(0);
  });
});
