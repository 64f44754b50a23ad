/** How one way sounded over the last few seconds. */
export interface WayFigures {
  /** 1 to 4.5. */
  readonly mos: number;
  readonly lossPercent: number;
  readonly jitterMs: number;
  readonly roundTripMs: number | undefined;
}

/** The four ways of sound through the gateway, as it tells them: `from` as it comes there, `to` as it arrives. */
export const gatewayWays = ["fromBrowser", "toBrowser", "fromTrunk", "toTrunk"] as const;
export type GatewayWay = (typeof gatewayWays)[number];
export type GatewayWays = { readonly [Way in GatewayWay]?: WayFigures };

/** How good a score is, and what people call it (ITU-T G.107 annex B, a little simpler). */
export type Level = "good" | "fair" | "poor" | "bad";

export function levelOf(mos: number): Level {
  if (mos >= 4) return "good";
  if (mos >= 3.6) return "fair";
  return mos >= 3.1 ? "poor" : "bad";
}

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
