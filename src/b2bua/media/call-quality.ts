import type { MediaStatistics, WayQuality, WayQualityOfCall } from "../../media/index.ts";
import { qualityOfWay, soundWays, type QualityTotals, type SoundWay } from "./quality-totals.ts";

/** How the last few seconds sounded, for a client: JSON of `x-jackfield-quality`, docs/clients.md. */
export type QualityNotice = {
  /** Of the worst way, 1 to 4.5. */
  readonly mos?: number;
  /** Of the worst way, percent. */
  readonly lossPercent?: number;
  /** Between the browser and us, ms. */
  readonly roundTripMs?: number;
} & { readonly [Way in SoundWay]?: Partial<WayQuality> };

/** How a call's ways sounded in the last few seconds; a way of which nothing was heard is left out. */
export type CallQualityNow = { readonly [Way in SoundWay]?: WayQuality };

/** How a call's ways sounded as a whole; a way of which nothing was heard is left out. */
export type CallQualityRecord = { readonly [Way in SoundWay]?: WayQualityOfCall };

/** Follows the quality of one call: for the totals, the client and the record. */
export class CallQuality {
  readonly #totals: QualityTotals;
  #statistics: MediaStatistics | undefined;
  #known = false;
  /** As last told. */
  now: CallQualityNow = {};

  constructor(totals: QualityTotals) {
    this.#totals = totals;
  }

  /** Takes the figures of an interval; returns what to tell the client, undefined when there is no news in it. */
  note(statistics: MediaStatistics): QualityNotice | undefined {
    this.#statistics = statistics;
    const ways: { -readonly [Way in SoundWay]?: WayQuality } = {};
    for (const way of soundWays) {
      const { last } = qualityOfWay(statistics, way);
      if (!last) continue;
      ways[way] = last;
      this.#totals.note(way, last);
    }
    this.now = ways;
    const known = Object.keys(ways).length > 0;
    const news = known || this.#known;
    this.#known = known;
    return news ? noticeOf(ways) : undefined;
  }

  /** Of the whole call, by the last counters, or by the last ones heard of when the media worker died. */
  record(last: MediaStatistics | undefined): CallQualityRecord | undefined {
    const statistics = last ?? this.#statistics;
    if (!statistics) return undefined;
    const ways = soundWays.map((way) => [way, rounded(qualityOfWay(statistics, way).call)] as const);
    return Object.fromEntries(ways.filter(([, quality]) => quality !== undefined));
  }
}

function noticeOf(ways: { readonly [Way in SoundWay]?: WayQuality }): QualityNotice {
  const known = Object.values(ways);
  if (known.length === 0) return {};
  const roundTripMs = (ways.fromBrowser ?? ways.toBrowser)?.roundTripMs;
  return {
    mos: round(Math.min(...known.map(({ mos }) => mos))),
    lossPercent: round(Math.max(...known.map(({ lossPercent }) => lossPercent))),
    ...(roundTripMs === undefined ? {} : { roundTripMs: round(roundTripMs) }),
    ...Object.fromEntries(Object.entries(ways).map(([way, quality]) => [way, rounded(quality)])),
  };
}

/** The figures with two decimals, as many as mean anything; what is not known is left out. */
function rounded<Figures extends object>(figures: Figures): Partial<Figures>;
function rounded<Figures extends object>(figures: Figures | undefined): Figures | undefined;
function rounded(figures: object | undefined): object | undefined {
  if (!figures) return undefined;
  const entries: [string, unknown][] = Object.entries(figures);
  return Object.fromEntries(
    entries.flatMap(([name, value]) => (typeof value === "number" ? [[name, round(value)]] : [])),
  );
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
