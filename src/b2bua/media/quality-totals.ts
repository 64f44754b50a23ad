import { Histogram, type HistogramCounts } from "../../core/index.ts";
import type { MediaStatistics, QualityOfWay, WayQuality } from "../../media/index.ts";

type Figures = Pick<WayQuality, "mos" | "jitterMs" | "lossPercent">;

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

/** The same of interarrival jitter, ms, and of loss, percent. */
const jitterBuckets = [5, 10, 20, 30, 50, 75, 100, 150, 200, 500] as const;
const lossBuckets = [0, 0.1, 0.5, 1, 2, 3, 5, 10, 20, 50, 100] as const;
/** The same of the time from INVITE to 200, ms; most of it is the time people let it ring. */
const setUpBuckets = [100, 250, 500, 1000, 2000, 3000, 5000, 10_000, 20_000, 30_000, 60_000] as const;

/** How one way sounded, counted. */
interface WayTotals {
  readonly mos: Histogram;
  readonly jitterMs: Histogram;
  readonly lossPercent: Histogram;
}

/** How all calls since the start sounded, each interval one value, per way; and how long their set-up took. */
export class QualityTotals {
  readonly #ways = new Map<SoundWay, WayTotals>(
    soundWays.map((way) => [
      way,
      {
        mos: new Histogram(mosBuckets),
        jitterMs: new Histogram(jitterBuckets),
        lossPercent: new Histogram(lossBuckets),
      },
    ]),
  );
  readonly #setUps = {
    "to-agent": new Histogram(setUpBuckets),
    "from-agent": new Histogram(setUpBuckets),
  };

  note(way: SoundWay, { mos, jitterMs, lossPercent }: Figures): void {
    const totals = this.#ways.get(way);
    totals?.mos.note(mos);
    totals?.jitterMs.note(jitterMs);
    totals?.lossPercent.note(lossPercent);
  }

  /** A copy of a figure's histogram of that way. */
  of(way: SoundWay, figure: keyof WayTotals = "mos"): HistogramCounts {
    return this.#ways.get(way)?.[figure].counted ?? { bounds: [], counts: [], count: 0, sum: 0 };
  }

  /** A call was established `ms` after its INVITE. */
  noteSetUp(direction: "to-agent" | "from-agent", ms: number): void {
    this.#setUps[direction].note(ms);
  }

  /** A copy of the histogram of set-up times, ms. */
  setUps(direction: "to-agent" | "from-agent"): HistogramCounts {
    return this.#setUps[direction].counted;
  }
}
