import type { MediaStatistics, QualityOfWay } from "../../media/index.ts";

/** The four ways of sound through a call: `from` as it comes here, `to` by what the far end reports. */
export const soundWays = ["fromBrowser", "toBrowser", "fromTrunk", "toTrunk"] as const;
export type SoundWay = (typeof soundWays)[number];

export function qualityOfWay({ browser, trunk }: MediaStatistics, way: SoundWay): QualityOfWay {
  const ways: Readonly<Record<SoundWay, QualityOfWay>> = {
    fromBrowser: browser.received,
    toBrowser: browser.sent,
    fromTrunk: trunk.received,
    toTrunk: trunk.sent,
  };
  return ways[way];
}

/** Upper bounds of the buckets that scores are counted in; no score is higher than the last. */
export const mosBuckets = [1.5, 2, 2.5, 3, 3.3, 3.6, 3.8, 4, 4.1, 4.2, 4.3, 4.4, 4.5] as const;

/** Scores of one way, counted: a histogram as metrics have it. */
export interface MosHistogram {
  /** Scores in each bucket of `mosBuckets`, not cumulative. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
}

/** Scores of all calls since the start, each interval one, per way. */
export class QualityTotals {
  readonly #ways = new Map(
    soundWays.map((way) => [way, { counts: mosBuckets.map(() => 0), count: 0, sum: 0 }]),
  );

  note(way: SoundWay, mos: number): void {
    const histogram = this.#ways.get(way);
    if (!histogram) return;
    const bucket = mosBuckets.findIndex((bound) => mos <= bound);
    if (bucket >= 0) histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1;
    histogram.count++;
    histogram.sum += mos;
  }

  /** A copy of the way's histogram. */
  of(way: SoundWay): MosHistogram {
    const { counts = [], count = 0, sum = 0 } = this.#ways.get(way) ?? {};
    return { counts: [...counts], count, sum };
  }
}
