/** The four ways of sound through a call: `from` as it comes here, `to` by what the far end reports. */
export const tracedWays = ["fromBrowser", "toBrowser", "fromSipServer", "toSipServer"] as const;
export type TracedWay = (typeof tracedWays)[number];

/** How one way sounded over a few seconds. */
export interface TracedWayQuality {
  /** 1 to 4.5. */
  readonly mos: number;
  readonly lossPercent: number;
  readonly jitterMs: number;
  readonly roundTripMs: number | undefined;
}

/** A way of which nothing is known is left out. */
export type TracedQuality = { readonly [Way in TracedWay]?: TracedWayQuality };

/** One point of a call's curve; `at` as `Clock.now()`, the beginning of what it is of. */
export interface QualityPoint {
  readonly at: number;
  readonly ways: TracedQuality;
}

/** Points kept of one call: 15 minutes at one each 5 s; of a longer one fewer of each minute. */
const maximumPoints = 180;
/** Memory of one, bytes. */
const pointBytes = 176;
const figures = ["mos", "lossPercent", "jitterMs", "roundTripMs"] as const;

/** Time, then the figures of each way in turn; NaN where unknown. */
type Row = readonly number[];

/** How a call sounded over its time, in bounded memory: of what is put together the worst stays. */
export class QualitySeries {
  #rows: Row[] = [];
  /** Intervals that one row stands for, and how many the last one has so far. */
  #perRow = 1;
  #inLast = 0;

  get bytes(): number {
    return this.#rows.length * pointBytes;
  }

  add({ at, ways }: QualityPoint): void {
    const row = [
      at,
      ...tracedWays.flatMap((way) => figures.map((figure) => ways[way]?.[figure] ?? Number.NaN)),
    ];
    const last = this.#rows.at(-1);
    if (last && this.#inLast < this.#perRow) {
      this.#rows[this.#rows.length - 1] = worst(last, row);
      this.#inLast++;
      return;
    }
    this.#rows.push(row);
    this.#inLast = 1;
    if (this.#rows.length <= maximumPoints) return;
    // An even number of full ones, and the one just begun.
    this.#rows = inPairs(this.#rows);
    this.#perRow *= 2;
  }

  points(): QualityPoint[] {
    return this.#rows.map(pointOf);
  }
}

function inPairs(rows: readonly Row[]): Row[] {
  return rows.flatMap((row, index) => {
    const next = rows[index + 1];
    if (index % 2 === 1) return [];
    return [next ? worst(row, next) : row];
  });
}

/** Time of the first, of each figure the worse; what only one knows is taken from it. */
function worst(one: Row, other: Row): Row {
  return one.map((value, index) => {
    const another = other[index] ?? Number.NaN;
    if (index === 0 || Number.isNaN(another)) return value;
    if (Number.isNaN(value)) return another;
    return figures[(index - 1) % figures.length] === "mos"
      ? Math.min(value, another)
      : Math.max(value, another);
  });
}

function pointOf(row: Row): QualityPoint {
  const ways: { -readonly [Way in TracedWay]?: TracedWayQuality } = {};
  tracedWays.forEach((way, index) => {
    const from = 1 + index * figures.length;
    const [mos = Number.NaN, lossPercent = 0, jitterMs = 0, trip = Number.NaN] = row.slice(
      from,
      from + figures.length,
    );
    if (Number.isNaN(mos)) return;
    ways[way] = { mos, lossPercent, jitterMs, roundTripMs: Number.isNaN(trip) ? undefined : trip };
  });
  return { at: row[0] ?? 0, ways };
}
