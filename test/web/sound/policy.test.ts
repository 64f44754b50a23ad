import { describe, expect, it } from "vitest";
import { policyOf } from "../../../web/src/softphone/sound/policy.ts";

describe("Workspace's options", () => {
  it("as Workspace sends them mean noise suppression and gain control", () => {
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
    ).toEqual({ noiseSuppression: true, autoGainControl: true });
  });

  it.each(["0", 0, false, "false", " Off "])("may say no by %j", (no) => {
    expect(policyOf({ "policy.session.agc_mode": no })).toEqual({ autoGainControl: false });
  });

  it.each(["1", 1, true, "TRUE", "yes"])("may say yes by %j", (yes) => {
    expect(policyOf({ noise_suppression: yes })).toEqual({ noiseSuppression: true });
  });

  it("say nothing where they are left out or cannot be read", () => {
    expect(policyOf({})).toEqual({});
    expect(policyOf({ noise_suppression: "2", "policy.session.agc_mode": null, agc_mode: [1] })).toEqual({});
  });

  it("count by the narrower name, and with either spelling", () => {
    const both = { noise_suppression: "1", "policy.session.noise_suppression": "0" };
    expect(policyOf(both)).toEqual({ noiseSuppression: false });
    expect(policyOf({ "sipendpoint.policy.session.agc-mode": 0 })).toEqual({ autoGainControl: false });
  });
});
