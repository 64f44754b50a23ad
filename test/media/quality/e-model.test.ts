import { describe, expect, it } from "vitest";
import {
  equipment,
  equipmentOf,
  mosOf,
  oneWayDelay,
  ratingOf,
  type Transmission,
} from "../../../src/media/quality/e-model.ts";

const clean: Transmission = { equipment: equipment.g711, lossPercent: 0, burstRatio: 1, delayMs: 0 };
const rating = (change: Partial<Transmission>): number => ratingOf({ ...clean, ...change });

describe("the E-model", () => {
  it("rates a way at all defaults 93.2, which is MOS 4.41 (G.107)", () => {
    expect(ratingOf(clean)).toBeCloseTo(93.2, 1);
    expect(mosOf(ratingOf(clean))).toBeCloseTo(4.41, 2);
  });

  it.each([
    [90, 4.34],
    [80, 4.02],
    [70, 3.6],
    [60, 3.1],
    [50, 2.58],
    [100, 4.5],
    [0, 1],
  ])("gives rating %d the score %d of G.109's categories and G.107's bounds", (value, score) => {
    expect(mosOf(value)).toBeCloseTo(score, 1.9);
  });

  // G.113 Appendix I (2001), G.711 with concealment under random loss, as measured in listening tests.
  it.each([
    [1, 5],
    [2, 7],
    [3, 10],
    [5, 15],
    [7, 20],
    [10, 25],
  ])("impairs G.711 with concealment at %d % of loss by about %d", (lossPercent, impairment) => {
    expect(Math.abs(ratingOf(clean) - rating({ lossPercent }) - impairment)).toBeLessThan(2.5);
  });

  // Cole and Rosenbluth's well-known fit to G.107's own curve (2001).
  it.each([50, 100, 150, 200, 300, 400])("lets a delay of %d ms cost what G.107's curve says", (delayMs) => {
    const fitted = 0.024 * delayMs + (delayMs > 177.3 ? 0.11 * (delayMs - 177.3) : 0);
    expect(Math.abs(ratingOf(clean) - rating({ delayMs }) - fitted)).toBeLessThan(3.5);
  });

  it("falls as loss, bursts and delay grow, and never leaves 1 to 4.5", () => {
    for (const step of [
      (value: number) => ({ lossPercent: value }),
      (value: number) => ({ delayMs: value * 10 }),
      (value: number) => ({ lossPercent: 5, burstRatio: 1 + value / 10 }),
    ]) {
      let last = 4.5;
      for (let value = 0; value <= 100; value++) {
        const score = mosOf(rating(step(value)));
        expect(score).toBeLessThanOrEqual(last);
        expect(score).toBeGreaterThanOrEqual(1);
        last = score;
      }
      expect(last).toBeLessThan(4.2);
    }
  });

  it("stays within bounds for what cannot be", () => {
    for (const absurd of [Number.NaN, Infinity, -Infinity, -5, 1e9])
      for (const change of [{ lossPercent: absurd }, { delayMs: absurd }, { burstRatio: absurd }]) {
        const score = mosOf(rating({ lossPercent: 3, ...change }));
        expect(score).toBeGreaterThanOrEqual(1);
        expect(score).toBeLessThanOrEqual(4.5);
      }
    expect(mosOf(Number.NaN)).toBe(1);
  });

  it("finds loss worse without concealment, and Opus between the two", () => {
    const at = (which: Transmission["equipment"]): number => rating({ equipment: which, lossPercent: 3 });
    expect(at(equipment.g711WithoutConcealment)).toBeLessThan(at(equipment.opus));
    expect(at(equipment.opus)).toBeLessThan(at(equipment.g711));
    expect(equipmentOf("opus")).toBe(equipment.opus);
    expect(equipmentOf("pcma")).toBe(equipment.g711);
  });

  it("takes half the round trip, a packet and a jitter buffer of twice the jitter for the delay", () => {
    expect(oneWayDelay(undefined, 0)).toBe(40);
    expect(oneWayDelay(100, 15)).toBe(50 + 20 + 30);
    expect(oneWayDelay(0, 5000)).toBe(220);
  });
});
