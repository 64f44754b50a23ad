import type { JSX } from "preact";
import { SHOWN_MS, type LivePoint } from "./live-quality.ts";

const WIDTH = 120;
const HEIGHT = 32;
const BEST = 4.5;
/** What a call that has just begun is drawn on, ms. */
const SHORTEST_MS = 30_000;

/** Both directions as lines, from the call's first half minute to its last two minutes; what it shows is told as text too. */
export function Chart({ points }: { readonly points: readonly LivePoint[] }): JSX.Element {
  const now = points.at(-1)?.at ?? 0;
  const span = Math.min(SHOWN_MS, Math.max(SHORTEST_MS, now - (points[0]?.at ?? now)));
  const path = (of: (point: LivePoint) => number | undefined): string => {
    let pen = "M";
    return points
      .flatMap((point) => {
        const mos = of(point);
        if (mos === undefined) pen = "M";
        if (mos === undefined) return [];
        const x = WIDTH * (1 - (now - point.at) / span);
        const y = HEIGHT - (HEIGHT * (mos - 1)) / (BEST - 1);
        const step = `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
        pen = "L";
        return [step];
      })
      .join("");
  };
  return (
    <svg
      class="quality-chart"
      data-testid="quality-chart"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={chartText(points)}
    >
      <path class="from" d={path(({ fromCaller }) => fromCaller)} />
      <path class="to" d={path(({ toCaller }) => toCaller)} />
    </svg>
  );
}

/** What the chart shows, in words. */
function chartText(points: readonly LivePoint[]): string {
  const range = (name: string, of: (point: LivePoint) => number | undefined): string => {
    const known = points.flatMap((point) => of(point) ?? []);
    if (known.length === 0) return `${name} not known`;
    return `${name} ${Math.min(...known).toFixed(1)} to ${Math.max(...known).toFixed(1)}`;
  };
  const ways = [
    range("you to caller", ({ toCaller }) => toCaller),
    range("caller to you", ({ fromCaller }) => fromCaller),
  ];
  return `Scores of the last two minutes: ${ways.join(", ")}`;
}
