import { describe, expect, it } from "vitest";
import type { BrowserInterval } from "../../../web/src/softphone/quality/browser-stats.ts";
import { Alarm, Warnings, type Look } from "../../../web/src/softphone/quality/warnings.ts";

const fine: BrowserInterval = {
  received: 100,
  sent: 100,
  lossPercent: 0,
  jitterMs: 2,
  farLossPercent: 0,
  farJitterMs: 2,
  roundTripMs: 20,
  connected: true,
};
const way = (lossPercent: number) => ({ mos: 4, lossPercent, jitterMs: 1, roundTripMs: undefined });
const look = (browser: Partial<BrowserInterval> = {}, more: Partial<Look> = {}): Look => ({
  browser: { ...fine, ...browser },
  gateway: undefined,
  talking: true,
  ...more,
});

describe("an alarm", () => {
  it("comes after two bad values in a row and goes after four good ones, so that it does not flicker", () => {
    const alarm = new Alarm({ raise: 3, clear: 1 });
    const values = [5, 0, 5, 5, 0, 0, 0, 2, 0, 0, 0, 0, 5];
    expect(values.map((value) => alarm.take(value))).toEqual([
      false,
      false,
      false,
      true,
      true,
      true,
      true,
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it("stays as it is while nothing is known", () => {
    const alarm = new Alarm({ raise: 3, clear: 1 });
    expect([4, undefined, 4, undefined, undefined].map((value) => alarm.take(value))).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
  });
});

describe("the warnings of a call", () => {
  /** What is said after three looks of one kind. */
  const after = (one: Look): string[] => {
    const warnings = new Warnings();
    warnings.take(one);
    warnings.take(one);
    return warnings.take(one);
  };

  it.each([
    [
      "the way to the caller",
      look({ farLossPercent: 6 }),
      /^Your network loses sound on its way to the caller \(6 %\)\. Use a cable/,
    ],
    [
      "the way to the caller, by the gateway",
      look({}, { gateway: { fromBrowser: way(8) } }),
      /to the caller \(8 %\)/,
    ],
    ["the way here", look({ lossPercent: 4.4 }), /^Your network loses sound on its way to you \(4 %\)/],
    ["a long way", look({ roundTripMs: 500 }), /^Your network is slow \(500 ms there and back\)/],
    ["an uneven way", look({ jitterMs: 90 }), /^Your network is uneven \(jitter 90 ms\)/],
    [
      "the far side",
      look({}, { gateway: { fromTrunk: way(5) } }),
      /^The line behind the gateway loses sound \(5 %\)/,
    ],
    ["silence from there", look({ received: 0 }), /^No sound arrives from the caller/],
    ["silence from here", look({ sent: 0 }), /^Your microphone sends nothing/],
  ])("name %s alone, and what to do", (_what, bad, text) => {
    expect(after(bad)).toEqual([expect.stringMatching(text)]);
  });

  it("are none for a good call, on hold, before sound can run, and while nothing is known", () => {
    expect(after(look())).toEqual([]);
    expect(after(look({ received: 0, sent: 0 }, { talking: false }))).toEqual([]);
    expect(after(look({ received: 0, sent: 0, connected: false }))).toEqual([]);
    expect(after({ browser: undefined, gateway: undefined, talking: true })).toEqual([]);
  });
});
