import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { useMedia } from "./use-media.ts";
import { useSize } from "./use-size.ts";

export interface ChartLine {
  readonly label: string;
  /** Name of the CSS variable with its colour. */
  readonly colour: string;
  /** What a value is called, its unit with it. */
  readonly words: (value: number) => string;
}

export interface ChartProps {
  readonly title: string;
  readonly testId: string;
  readonly lines: readonly ChartLine[];
  /** First the times, s since 1970 or since the call began; then one row for each line, null where nothing is known. */
  readonly data: uPlot.AlignedData;
  /** Times are of the day; otherwise seconds of a call. */
  readonly clock: boolean;
  /** Lowest and highest value shown at least. */
  readonly range: readonly [number, number];
  readonly height: number;
  /** Charts of one group show the same instant together. */
  readonly group?: string;
}

/** Lines over time; the legend has the last values, or those under the pointer or the arrow keys. */
export function Chart(props: ChartProps): JSX.Element {
  const { title, testId, lines, data } = props;
  const place = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState<number | null>(null);
  const plot = usePlot(place, props, setPointed);
  const times = data[0];
  const index = pointed ?? times.length - 1;
  const step = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const time = times[Math.min(times.length - 1, Math.max(0, index + (by ?? 0)))];
    if (by === undefined || time === undefined || !plot.current) return;
    event.preventDefault();
    plot.current.setCursor({ left: plot.current.valToPos(time, "x"), top: 0 });
  };
  const values = lines.map((line, number) => {
    const value = data[number + 1]?.[index];
    return { ...line, text: value === null || value === undefined ? "–" : line.words(value) };
  });
  const told = values.map(({ label, text }) => `${label} ${text}`).join(", ");
  return (
    <figure class="chart" data-testid={testId}>
      <figcaption>
        <b>{title}</b>
        {values.map(({ label, colour, text }) => (
          <span key={label} class="key">
            <i data-colour={colour} aria-hidden="true" />
            {label} <b data-testid={`${testId}-${label}`}>{text}</b>
          </span>
        ))}
        <span class="instant">{pointed === null ? "" : instant(times[index], props.clock)}</span>
      </figcaption>
      <div
        ref={place}
        class="plot"
        role="img"
        tabIndex={0}
        aria-label={`Chart of ${title}: ${told}. Left and right arrow go through it.`}
        onKeyDown={step}
        onBlur={() => plot.current?.setCursor({ left: -10, top: -10 })}
        style={{ height: `${props.height}px` }}
      />
    </figure>
  );
}

function usePlot(
  place: { readonly current: HTMLDivElement | null },
  props: ChartProps,
  onPointed: (index: number | null) => void,
): { readonly current: uPlot | undefined } {
  const plot = useRef<uPlot>(undefined);
  const { width } = useSize(place);
  const dark = useMedia("(prefers-color-scheme: dark)");
  const { data, height, lines } = props;
  const drawn = width > 0;
  // Colours are read when it is made: another theme makes it anew.
  useEffect(() => {
    if (!place.current || !drawn) return undefined;
    plot.current = new uPlot(optionsOf(props, place.current, onPointed), data, place.current);
    return () => plot.current?.destroy();
  }, [dark, drawn, lines]);
  useEffect(() => {
    if (drawn) plot.current?.setSize({ width, height });
  }, [width, height]);
  useEffect(() => plot.current?.setData(data), [data]);
  return plot;
}

function optionsOf(
  { lines, clock, range, height, group }: ChartProps,
  place: HTMLElement,
  onPointed: (index: number | null) => void,
): uPlot.Options {
  const style = getComputedStyle(place);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--dim"),
    grid: { stroke: colour("--grid"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui, sans-serif",
  };
  const values: uPlot.Axis["values"] = (_plot, splits) =>
    splits.map((at) => (clock ? ofDay(at) : inCall(at)));
  return {
    width: place.clientWidth,
    height,
    padding: [6, 8, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: 6 },
      ...(group === undefined ? {} : { sync: { key: group } }),
    },
    hooks: {
      setCursor: [(plot) => onPointed((plot.cursor.left ?? -1) < 0 ? null : (plot.cursor.idx ?? null))],
    },
    scales: {
      x: { time: clock, ...(clock ? { range: (_plot, first, last) => wide(first, last) } : {}) },
      y: { range: (_plot, low, high) => spread(low, high, range) },
    },
    axes: [
      { ...axis, values, size: 18, space: 70, gap: 2 },
      { ...axis, size: 38, space: 28, gap: 4 },
    ],
    series: [
      {},
      ...lines.map((line, index) => ({
        label: line.label,
        stroke: colour(line.colour),
        width: 1.6,
        spanGaps: false,
        points: { show: false },
        ...(index === 0 ? { fill: colour(`${line.colour}-soft`) } : {}),
      })),
    ],
  };
}

/** At least ten minutes, or the axis of a gateway just started says one minute over and over. */
function wide(first: number | null, last: number | null): [number, number] {
  const end = last ?? 0;
  return [Math.min(first ?? end, end - 600), end];
}

function spread(
  low: number | null,
  high: number | null,
  [least, most]: readonly [number, number],
): [number, number] {
  const top = Math.max(most, high ?? most);
  return [Math.min(least, low ?? least), top > most ? top * 1.06 : top];
}

// Made once: making one costs more than all it says.
const minutes = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const seconds = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

function ofDay(at: number): string {
  return minutes.format(at * 1000);
}

function inCall(at: number): string {
  return `${Math.floor(at / 60)}:${String(Math.floor(at % 60)).padStart(2, "0")}`;
}

function instant(at: number | undefined, clock: boolean): string {
  if (at === undefined) return "";
  return clock ? seconds.format(at * 1000) : inCall(at);
}
