import { describe, expect, it } from "vitest";
import { policyOf } from "../../../web/src/softphone/sound/policy.ts";

describe("Workspace's options", () => {
  it("as Workspace sends them mean echo, noise and gain, answering and the headset", () => {
    expect(
      policyOf({
        uri: "https://127.0.0.1:8000",
        "sip-server-address": "SIPS:5060",
        "register-interval": 1500,
        "headset-unplugged-set-not-ready": true,
        noise_suppression: "1",
        "policy.session.agc_mode": "1",
        "policy.session.noise_suppression": "1",
        "policy.session.auto_answer": "0",
      }),
    ).toEqual({
      sound: { noiseSuppression: true, autoGainControl: true },
      autoAnswer: false,
      headsetUnpluggedNotReady: true,
    });
  });

  it.each(["0", 0, false, "false", " Off "])("may say no by %j", (no) => {
    expect(policyOf({ "policy.session.agc_mode": no }).sound).toEqual({ autoGainControl: false });
  });

  it.each(["1", 1, true, "TRUE", "yes"])("may say yes by %j", (yes) => {
    expect(policyOf({ "policy.session.auto_answer": yes })).toEqual({ sound: {}, autoAnswer: true });
  });

  it("say nothing where they are left out or cannot be read", () => {
    expect(policyOf({})).toEqual({ sound: {} });
    const odd = {
      noise_suppression: "2",
      "policy.session.agc_mode": null,
      "policy.session.auto_answer": [1],
    };
    expect(policyOf(odd)).toEqual({ sound: {} });
  });

  it("count by the narrower name, and with either spelling", () => {
    const both = { noise_suppression: "1", "policy.session.noise_suppression": "0" };
    expect(policyOf(both).sound).toEqual({ noiseSuppression: false });
    expect(policyOf({ "sipendpoint.policy.session.agc-mode": 0 }).sound).toEqual({ autoGainControl: false });
    expect(policyOf({ headset_unplugged_set_not_ready: "true" }).headsetUnpluggedNotReady).toBe(true);
  });
});
