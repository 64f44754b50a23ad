import type { QualityByWay, Sample, SoundWay } from "../api/contract.ts";

/** First the times in s, then a row for each line. */
export type Series = [number[], ...(number | null)[][]];

/** Beyond this between two samples the line breaks, s. */
const breakS = 35;

/** Samples since `from` (ms since 1970) as rows for a chart. */
export function seriesOf(
  samples: readonly Sample[],
  from: number,
  values: readonly ((sample: Sample) => number | null)[],
): Series {
  const times: number[] = [];
  const rows: (number | null)[][] = values.map(() => []);
  for (const sample of samples) {
    const at = Date.parse(sample.at) / 1000;
    if (at * 1000 < from) continue;
    const last = times.at(-1);
    if (last !== undefined && at - last > breakS) {
      times.push(last + 10);
      for (const row of rows) row.push(null);
    }
    times.push(at);
    values.forEach((value, index) => rows[index]?.push(value(sample)));
  }
  return [times, ...rows];
}

/** MOS of each way over a call, by seconds since its beginning. */
export function mosSeries(
  quality: readonly (QualityByWay & { readonly at_ms: number })[],
  ways: readonly SoundWay[],
): Series {
  return [
    quality.map(({ at_ms }) => at_ms / 1000),
    ...ways.map((way) => quality.map((report) => report[way]?.mos ?? null)),
  ];
}
