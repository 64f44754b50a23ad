import { describe, expect, it } from "vitest";
import { soundDefaults } from "../../../web/src/softphone/embed/sound-defaults.ts";

describe("defaults of sound by configure", () => {
  it("are those it names", () => {
    expect(soundDefaults({ echo_cancellation: false, ring_volume: 0 })).toEqual({
      echoCancellation: false,
      ringVolume: 0,
    });
    expect(soundDefaults({})).toEqual({});
  });

  it("come from Workspace's options where it says nothing else", () => {
    const workspace_options = { noise_suppression: "0", "policy.session.agc_mode": "1", auto_answer: "1" };
    expect(soundDefaults({ workspace_options, auto_gain_control: false })).toEqual({
      noiseSuppression: false,
      autoGainControl: false,
    });
  });
});
