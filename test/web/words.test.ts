import { describe, expect, it } from "vitest";
import { duration } from "../../web/src/shared/words.ts";
import {
  byeProblem,
  callProblem,
  isFinal,
  qualityText,
  signInProblem,
} from "../../web/src/softphone/phone/words.ts";

describe("why a call ended", () => {
  it("is no problem when somebody hung up or gave up", () => {
    expect(callProblem("Terminated", 0)).toBeUndefined();
    expect(callProblem("Canceled", 0)).toBeUndefined();
    expect(callProblem("Canceled", 487, "Request Terminated")).toBeUndefined();
  });

  it("is told in words with the code behind, so that it can be looked up", () => {
    expect(callProblem("Busy", 486, "Busy Here")).toBe("Busy. (486 Busy Here)");
    expect(callProblem("SIP Failure Code", 503, "Service Unavailable")).toMatch(
      /^No line is free.*\(503 Service/,
    );
  });

  it("is what the far side's BYE gives as its reason, where that is a failure", () => {
    expect(byeProblem('SIP;cause=403;text="Forbidden"')).toBe("This call is not allowed. (403 Forbidden)");
    expect(byeProblem('sip ; text="Busy Here" ; cause = 486')).toBe("Busy. (486 Busy Here)");
    expect(byeProblem("SIP;cause=404")).toBe("There is no such number. (404)");
    for (const none of ["", "SIP;cause=200", 'SIP;cause=487;text="Gone"', "Q.850;cause=16", "SIP;cause=4031"])
      expect(byeProblem(none)).toBeUndefined();
    expect(byeProblem(`SIP;${"cause=".repeat(10_000)}`)).toBeUndefined();
  });

  it("is the sign-in at another place where the gateway no longer takes this page's calls", () => {
    expect(callProblem("Rejected", 403, "Register First")).toMatch(
      /signed in at another place.*\(403 Register First\)$/,
    );
    expect(callProblem("Rejected", 403, "Forbidden")).toBe("This call is not allowed. (403 Forbidden)");
  });

  it("is the administrator where one has hung up", () => {
    expect(byeProblem('SIP;cause=480;text="ended by operator"')).toBe(
      "An administrator ended this call. (480 ended by operator)",
    );
  });

  it("is the draining where the gateway takes no new calls for that", () => {
    expect(callProblem("SIP Failure Code", 503, "Being Drained")).toMatch(/^The gateway takes no new calls/);
  });

  it("is told for failures without a response, and for codes nobody foresaw", () => {
    expect(callProblem("Connection Error", 0)).toBe("The connection to the gateway was lost.");
    expect(callProblem("SIP Failure Code", 499)).toBe("The call failed: SIP Failure Code. (499)");
  });
});

describe("why a sign-in failed", () => {
  it("is the same for both kinds of challenge", () => {
    expect(signInProblem(407)).toBe(signInProblem(401));
    expect(signInProblem(401).remedy).not.toBe("");
  });

  it("is the administrator who has signed the page out, and no wrong password", () => {
    expect(signInProblem(403, "Signed Out By Administrator").what).toBe(
      "An administrator has signed you out.",
    );
    expect(signInProblem(403, "Forbidden").what).toBe("Wrong number or password.");
  });

  it("is tried again by itself, but for what would only be refused again", () => {
    expect([401, 403, 404, 407].every(isFinal)).toBe(true);
    expect([0, 408, 429, 500, 503].some(isFinal)).toBe(false);
    for (const status of [0, 500, 503]) expect(signInProblem(status).remedy).toContain("by itself");
  });
});

describe("the time of a call", () => {
  it.each([
    [-5, "0:00"],
    [999, "0:00"],
    [61_000, "1:01"],
    [3_599_999, "59:59"],
    [3_600_000, "1:00:00"],
    [36_061_000, "10:01:01"],
  ])("%i ms is %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});

describe("how a call sounds", () => {
  it("is said in one short line, with what is known", () => {
    expect(qualityText({ mos: 4.349, roundTripMs: 12.35, lossPercent: 0 })).toBe(
      "Quality 4.3 (round trip 12 ms, loss 0 %)",
    );
    expect(qualityText({ mos: 3, roundTripMs: undefined, lossPercent: 4.26 })).toBe(
      "Quality 3.0 (loss 4.3 %)",
    );
    expect(qualityText({ mos: 4.38, roundTripMs: undefined, lossPercent: undefined })).toBe("Quality 4.4");
    expect(qualityText(undefined)).toBe("");
  });
});

/** Names that every object has: phrases and causes are written by others. */
const everyObject = ["constructor", "toString", "__proto__", "hasOwnProperty"];

it("takes no phrase for a known one because every object has its name", () => {
  for (const phrase of everyObject) {
    expect(signInProblem(403, phrase)).toEqual(signInProblem(403));
    expect(callProblem("Rejected", 403, phrase)).toBe(`This call is not allowed. (403 ${phrase})`);
    expect(callProblem(phrase, 0)).toBe(`The call failed: ${phrase}.`);
    expect(byeProblem(`SIP;cause=403;text="${phrase}"`)).toBe(`This call is not allowed. (403 ${phrase})`);
  }
});
