import type { WayFigures } from "../phone/gateway-events.ts";

/** What two stretches of a way come to one after the other: no better than the worse one. */
export function joined(one: WayFigures | undefined, other: WayFigures | undefined): WayFigures | undefined {
  if (!one || !other) return one ?? other;
  const kept = (1 - one.lossPercent / 100) * (1 - other.lossPercent / 100);
  const trips = [one.roundTripMs, other.roundTripMs].filter((trip) => trip !== undefined);
  return {
    mos: Math.min(one.mos, other.mos),
    lossPercent: 100 * (1 - kept),
    jitterMs: Math.max(one.jitterMs, other.jitterMs),
    roundTripMs: trips.length === 0 ? undefined : trips.reduce((sum, trip) => sum + trip, 0),
  };
}

/**
 * Score of a stretch by the E-model's simple form (ITU-T G.107: delay and loss alone), for what only the browser knows.
 * @returns 1 to 4.4
 */
export function estimatedMos(lossPercent: number, jitterMs: number, roundTripMs = 0): number {
  const delayMs = roundTripMs / 2 + 2 * jitterMs + 20;
  const late = Math.max(0, delayMs - 177.3);
  // Opus hides single losses; 20 is its robustness where losses come one by one.
  const rating = 93.2 - 0.024 * delayMs - 0.11 * late - (95 * lossPercent) / (lossPercent + 20);
  if (rating <= 0) return 1;
  return Math.max(1, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6);
}
