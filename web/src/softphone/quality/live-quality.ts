import { intervalOf, type BrowserCounts, type BrowserInterval } from "./browser-stats.ts";
import type { GatewayWays, WayFigures } from "../phone/gateway-events.ts";
import { estimatedMos, joined } from "./figures.ts";
import { Warnings } from "./warnings.ts";

/** Scores of both directions at one moment; undefined where nothing is known. */
export interface LivePoint {
  readonly at: number;
  readonly toCaller: number | undefined;
  readonly fromCaller: number | undefined;
}

/** How a call sounds now, and sounded the last two minutes. */
export interface LiveSnapshot {
  /** You to the caller. */
  readonly toCaller: WayFigures | undefined;
  /** The caller to you. */
  readonly fromCaller: WayFigures | undefined;
  readonly points: readonly LivePoint[];
  readonly warnings: readonly string[];
}

/** What the chart shows, ms. */
export const SHOWN_MS = 120_000;
/** What the gateway told is of no worth after this, ms; it tells every five seconds. */
const STALE_MS = 12_000;

/** Follows one call: what the gateway tells every five seconds, and what the browser knows between. */
export class LiveQuality {
  readonly #warnings = new Warnings();
  #told: { readonly at: number; readonly ways: GatewayWays | undefined } | undefined;
  #counts: BrowserCounts | undefined;
  #interval: BrowserInterval | undefined;
  #shown: readonly string[] = [];
  #points: readonly LivePoint[] = [];
  #now = 0;

  /** What the gateway tells; undefined: it knows nothing at present. */
  told(ways: GatewayWays | undefined, at: number): void {
    this.#told = { at, ways };
    this.#now = at;
  }

  /** One look, every two seconds. @param talking sound should run: answered, not held */
  look(counts: BrowserCounts | undefined, talking: boolean, at: number): void {
    this.#now = at;
    this.#interval = counts && this.#counts ? intervalOf(this.#counts, counts) : undefined;
    this.#counts = counts;
    this.#shown = this.#warnings.take({ browser: this.#interval, gateway: this.#ways, talking });
    const { toCaller, fromCaller } = this.#figures;
    const point = { at, toCaller: toCaller?.mos, fromCaller: fromCaller?.mos };
    this.#points = [...this.#points.filter((one) => at - one.at < SHOWN_MS), point];
  }

  get snapshot(): LiveSnapshot {
    return { ...this.#figures, points: this.#points, warnings: this.#shown };
  }

  get #ways(): GatewayWays | undefined {
    return this.#told && this.#now - this.#told.at < STALE_MS ? this.#told.ways : undefined;
  }

  get #figures(): Pick<LiveSnapshot, "toCaller" | "fromCaller"> {
    const ways = this.#ways;
    const local = this.#interval?.connected === true ? this.#interval : undefined;
    const up = local && stretch(local.farLossPercent, local.farJitterMs, local.roundTripMs);
    const down =
      local && local.received > 0 ? stretch(local.lossPercent, local.jitterMs, local.roundTripMs) : undefined;
    return {
      toCaller: joined(newest(ways?.fromBrowser, up), ways?.toTrunk),
      fromCaller: joined(ways?.fromTrunk, newest(ways?.toBrowser, down)),
    };
  }
}

function stretch(
  lossPercent: number | undefined,
  jitterMs: number | undefined,
  roundTripMs: number | undefined,
): WayFigures | undefined {
  if (lossPercent === undefined || jitterMs === undefined) return undefined;
  return { mos: estimatedMos(lossPercent, jitterMs, roundTripMs), lossPercent, jitterMs, roundTripMs };
}

/** The same stretch by both: the browser's figures are fresher, the score is the lower one. */
function newest(told: WayFigures | undefined, local: WayFigures | undefined): WayFigures | undefined {
  if (!told || !local) return told ?? local;
  return { ...local, mos: Math.min(told.mos, local.mos), roundTripMs: local.roundTripMs ?? told.roundTripMs };
}
