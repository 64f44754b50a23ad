import { fieldOf } from "./fields.ts";

/**
 * How long WWE may be silent, ms: Genesys Softphone gives it 30 ping periods; browsers let a page in the background run once a
 * minute (wwe-endpoint-and-gws-api.md A4).
 */
export const shortestLifeMs = 120_000;
const longestLifeMs = 3_600_000;
const periods = 30;

/** Of a SetPingPeriod; undefined: the body has none. */
export function lifeMsOf(body: unknown): number | undefined {
  const period = Number(fieldOf(body, "value") ?? NaN);
  if (!(period > 0)) return undefined;
  return Math.min(longestLifeMs, Math.max(shortestLifeMs, period * periods));
}
