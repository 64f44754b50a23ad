import { describe, expect, it } from "vitest";
import { duration } from "../../../web/src/shared/words.ts";
import { counterLines } from "../../../web/src/dashboard/call/counters.ts";
import {
  age,
  browserWords,
  callWords,
  certificateTone,
  clientWords,
  drainText,
  endWords,
  mosWords,
  traceTime,
  trunkWords,
} from "../../../web/src/dashboard/store/words.ts";

describe("words", () => {
  it("say how a MOS sounds", () => {
    const said = [4.41, 4, 3.99, 3.6, 3.2, 3.05, null, undefined].map((mos) => mosWords(mos).text);
    expect(said).toEqual(["good", "good", "fair", "fair", "poor", "bad", "not known", "not known"]);
  });

  it("say states as people do, unknown ones as they came", () => {
    expect(trunkWords("backing-off")).toEqual({ text: "trying again", tone: "wait" });
    expect(trunkWords("rejected").tone).toBe("bad");
    expect(trunkWords("new-one")).toEqual({ text: "new-one", tone: "plain" });
    expect(callWords("established")).toEqual({ text: "talking", tone: "good" });
    expect(callWords("established", true).text).toBe("on hold");
    expect(callWords("setting-up").text).toBe("setting up");
  });

  it("say how something ended, the status no more than once", () => {
    expect(endWords(480, "not answered within 185 s")).toBe("480 not answered within 185 s");
    expect(endWords(404, "SIP Server: 404 Not Found")).toBe("SIP Server: 404 Not Found");
    expect([endWords(487, null), endWords(null, "down"), endWords(null, null)]).toEqual(["487", "down", ""]);
  });

  it("say times shortly", () => {
    expect([-5, 7_000, 754_000, 3_723_000].map(duration)).toEqual(["0:00", "0:07", "12:34", "1:02:03"]);
    expect([720_000, 14_700_000, 273_600_000].map(age)).toEqual(["12 min", "4 h 5 min", "3 d 4 h"]);
    expect([488.24, 9999.96, 12_345].map(traceTime)).toEqual(["488.2 ms", "10000.0 ms", "12.35 s"]);
  });

  it("warn of a certificate a month and a week before its end", () => {
    expect([31, 29, 6, -1].map(certificateTone)).toEqual(["good", "wait", "bad", "bad"]);
  });

  it("tell how far a drain is, and when it is over at the latest", () => {
    const drain = { calls: 1, pages: 2, dns: 0, seconds_left: null };
    expect(drainText(drain)).toBe("1 call, 2 pages and 0 DNs left");
    expect(drainText({ ...drain, seconds_left: 30 })).toBe(
      "1 call, 2 pages and 0 DNs left; closes in 30 s at the latest",
    );
  });

  it("tell browsers apart", () => {
    const chrome =
      "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";
    expect(browserWords(`Jackfield softphone (${chrome})`)).toBe("Chrome 141, Windows");
    expect(browserWords(`${chrome} Edg/140.0.0.0`)).toBe("Edge 140, Windows");
    expect(browserWords("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")).toBe(
      "Firefox 140, Linux",
    );
    expect(browserWords("JsSIP 3.13.8")).toBe("JsSIP 3.13.8");
    expect(browserWords(null)).toBe("not told");
    expect(clientWords({ user_agent: chrome, kind: "wrtc" })).toBe("Chrome 141, Windows, over HTTP");
    expect(clientWords({ user_agent: chrome, kind: "sip" })).toBe("Chrome 141, Windows");
  });

  it("flatten media counters however they are nested", () => {
    expect(
      counterLines({ browser: { received: { packetsLost: 1234, late_ms: 0.123 } }, none: null, srtp: true }),
    ).toEqual([
      ["browser received packets lost", "1,234"],
      ["browser received late ms", "0.12"],
      ["SRTP", "true"],
    ]);
  });
});
