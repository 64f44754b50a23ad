import { describe, expect, it } from "vitest";
import { levelOf } from "../../../web/src/shared/words.ts";
import type { WayFigures } from "../../../web/src/softphone/phone/gateway-events.ts";
import {
  countsOf,
  intervalOf,
  rowsOf,
  type BrowserCounts,
} from "../../../web/src/softphone/quality/browser-stats.ts";
import { estimatedMos, joined } from "../../../web/src/softphone/quality/figures.ts";
import { LiveQuality, SHOWN_MS } from "../../../web/src/softphone/quality/live-quality.ts";

const way = (mos: number, more: Partial<WayFigures> = {}): WayFigures => ({
  mos,
  lossPercent: 0,
  jitterMs: 1,
  roundTripMs: undefined,
  ...more,
});
const counts = (at: number, more: Partial<BrowserCounts> = {}): BrowserCounts => ({
  at,
  received: at / 20,
  lost: 0,
  sent: at / 20,
  jitterMs: 2,
  farLossPercent: 0,
  farJitterMs: 2,
  roundTripMs: 20,
  connected: true,
  ...more,
});

describe("scores", () => {
  it("have names that fall with them", () => {
    expect([4.4, 4, 3.99, 3.6, 3.1, 3, 1].map(levelOf)).toEqual([
      "good",
      "good",
      "fair",
      "fair",
      "poor",
      "bad",
      "bad",
    ]);
  });

  it("of the browser's own figures are high without loss, fall with loss and delay, and stay within the scale", () => {
    expect(estimatedMos(0, 2, 20)).toBeGreaterThan(4.3);
    const falling = [0, 1, 3, 10, 30, 100].map((loss) => estimatedMos(loss, 5, 50));
    expect(falling).toEqual(falling.toSorted((one, other) => other - one));
    expect(estimatedMos(0, 5, 900)).toBeLessThan(3.6);
    for (const loss of [0, 50, 100]) expect(estimatedMos(loss, 1000, 10_000)).toBeGreaterThanOrEqual(1);
  });

  it("of two stretches are the worse one's, with the losses of both and the trips added", () => {
    const one = way(4.2, { lossPercent: 10, roundTripMs: 20 });
    expect(joined(one, way(3.9, { lossPercent: 10, jitterMs: 8, roundTripMs: 30 }))).toEqual({
      mos: 3.9,
      lossPercent: expect.closeTo(19),
      jitterMs: 8,
      roundTripMs: 50,
    });
    expect(joined(one, undefined)).toEqual(one);
    expect(joined(undefined, undefined)).toBeUndefined();
  });
});

describe("the browser's statistics", () => {
  const report = new Map<string, unknown>([
    [
      "I",
      { id: "I", type: "inbound-rtp", kind: "audio", packetsReceived: 100, packetsLost: 5, jitter: 0.004 },
    ],
    ["O", { id: "O", type: "outbound-rtp", kind: "audio", packetsSent: 90 }],
    ["R", { id: "R", type: "remote-inbound-rtp", kind: "audio", fractionLost: 0.02, jitter: 0.003 }],
    ["T", { id: "T", type: "transport", dtlsState: "connected", selectedCandidatePairId: "P2" }],
    ["P1", { id: "P1", type: "candidate-pair", currentRoundTripTime: 9 }],
    ["P2", { id: "P2", type: "candidate-pair", currentRoundTripTime: 0.025 }],
    ["junk", null],
  ]);

  it("are read from the chosen pair and the sound's rows, in ms and percent", () => {
    expect(countsOf(rowsOf(report), 7)).toEqual({
      at: 7,
      received: 100,
      lost: 5,
      sent: 90,
      jitterMs: 4,
      farLossPercent: 2,
      farJitterMs: 3,
      roundTripMs: 25,
      connected: true,
    });
  });

  it("of which browsers leave out what they like are what is there", () => {
    expect(countsOf([{ type: "inbound-rtp", packetsReceived: "many" }], 1)).toMatchObject({
      received: 0,
      farLossPercent: undefined,
      roundTripMs: undefined,
      connected: false,
    });
  });

  it("between two looks are what came meanwhile; a packet counted as lost that came late is no negative loss", () => {
    const before = counts(0, { received: 100, lost: 10, sent: 100 });
    expect(intervalOf(before, counts(2000, { received: 190, lost: 20, sent: 200 }))).toMatchObject({
      received: 90,
      sent: 100,
      lossPercent: 10,
    });
    expect(intervalOf(before, counts(2000, { received: 200, lost: 8 })).lossPercent).toBe(0);
    expect(intervalOf(before, before).lossPercent).toBe(0);
  });
});

describe("the quality of a running call", () => {
  it("is the gateway's figures of both stretches of each direction", () => {
    const live = new LiveQuality();
    live.told(
      {
        fromBrowser: way(4.3, { roundTripMs: 12 }),
        toTrunk: way(3.7, { lossPercent: 4 }),
        fromTrunk: way(4.1),
      },
      0,
    );
    expect(live.snapshot.toCaller).toMatchObject({ mos: 3.7, roundTripMs: 12 });
    expect(live.snapshot.toCaller?.lossPercent).toBeCloseTo(4);
    expect(live.snapshot.fromCaller).toMatchObject({ mos: 4.1 });
  });

  it("falls at once with what the browser sees between the gateway's notices", () => {
    const live = new LiveQuality();
    live.told({ toBrowser: way(4.4), fromTrunk: way(4.4) }, 0);
    live.look(counts(0), true, 0);
    live.look(counts(2000, { received: 50, lost: 50 }), true, 2000);
    expect(live.snapshot.fromCaller?.lossPercent).toBe(50);
    expect(live.snapshot.fromCaller?.mos).toBeLessThan(2.5);
    expect(live.snapshot.toCaller?.mos).toBeGreaterThan(4.2);
  });

  it("is forgotten when the gateway has told nothing for long, or says that it knows nothing", () => {
    const live = new LiveQuality();
    live.told({ fromTrunk: way(4.4) }, 0);
    live.look(undefined, true, 11_000);
    expect(live.snapshot.fromCaller?.mos).toBe(4.4);
    live.look(undefined, true, 13_000);
    expect(live.snapshot.fromCaller).toBeUndefined();
    live.told({ fromTrunk: way(4.4) }, 14_000);
    live.told(undefined, 15_000);
    expect(live.snapshot.fromCaller).toBeUndefined();
  });

  it("keeps two minutes and no more", () => {
    const live = new LiveQuality();
    for (let at = 0; at <= 3_600_000; at += 2000) live.look(counts(at), true, at);
    const { points } = live.snapshot;
    expect(points).toHaveLength(SHOWN_MS / 2000);
    expect(points.at(-1)?.at).toBe(3_600_000);
    expect(points.at(-1)?.fromCaller).toBeGreaterThan(4);
  });
});
