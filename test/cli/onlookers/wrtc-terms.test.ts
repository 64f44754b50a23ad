import { expect, it } from "vitest";
import { wrtcTermsOf } from "../../../src/cli/onlookers/wrtc.ts";
import { testConfig } from "../../support/test-gateway.ts";

it("terms of WRTC clients are those of the configuration in force, in ms", () => {
  const wrtc = { waitSeconds: 17, waitSecondsHttp1: 4, expirySeconds: 99, sessionHours: 2 };
  const loaded = testConfig("127.0.0.1:5060", { wrtc });
  expect(loaded.ok && wrtcTermsOf(loaded.config)).toMatchObject({
    waitMs: 17_000,
    waitHttp1Ms: 4000,
    expiryMs: 99_000,
    rebuildMs: 7_200_000,
  });
});
