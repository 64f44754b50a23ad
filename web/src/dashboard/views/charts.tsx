import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { Sample } from "../api/contract.ts";
import { Chart, type ChartLine } from "../parts/chart.tsx";
import { seriesOf, type Series } from "../store/series.ts";

interface Plan {
  readonly title: string;
  readonly testId: string;
  readonly range: readonly [number, number];
  readonly lines: readonly (ChartLine & { readonly value: (sample: Sample) => number | null })[];
}

const whole = (value: number): string => Math.round(value).toLocaleString("en");
const percent = (value: number): string => `${Math.round(value)} %`;
const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
const mos = (value: number): string => value.toFixed(2);
const [first, second] = ["--chart-1", "--chart-2"];

const plans: readonly Plan[] = [
  {
    title: "Calls",
    testId: "chart-calls",
    range: [0, 4],
    lines: [{ label: "running", colour: first, words: whole, value: ({ calls }) => calls }],
  },
  {
    title: "Agents",
    testId: "chart-agents",
    range: [0, 4],
    lines: [
      { label: "in service", colour: first, words: whole, value: ({ in_service }) => in_service },
      { label: "signed in", colour: second, words: whole, value: ({ agents }) => agents },
    ],
  },
  {
    title: "MOS",
    testId: "chart-mos",
    range: [1, 4.5],
    lines: [
      { label: "mean", colour: first, words: mos, value: ({ mos_mean }) => mos_mean },
      { label: "lowest", colour: second, words: mos, value: ({ mos_low }) => mos_low },
    ],
  },
  {
    title: "Call set-ups in 10 s",
    testId: "chart-setups",
    range: [0, 4],
    lines: [
      { label: "set up", colour: first, words: whole, value: ({ setups }) => setups },
      { label: "failed", colour: second, words: whole, value: ({ failures }) => failures },
    ],
  },
  {
    title: "CPU",
    testId: "chart-cpu",
    range: [0, 100],
    lines: [
      { label: "workers", colour: first, words: percent, value: (sample) => sample.worker_cpu_percent },
      { label: "signalling", colour: second, words: percent, value: (sample) => sample.main_cpu_percent },
    ],
  },
  {
    title: "Delays",
    testId: "chart-round-trip",
    range: [0, 10],
    lines: [
      { label: "SIP Server", colour: first, words: ms, value: ({ round_trip_ms }) => round_trip_ms },
      { label: "event loop", colour: second, words: ms, value: (sample) => sample.event_loop_late_ms },
    ],
  },
];

const allLines = plans.flatMap(({ lines }) => lines);
const values = allLines.map(({ value }) => value);

const spans = [
  { label: "30 min", minutes: 30 },
  { label: "2 h", minutes: 120 },
  { label: "6 h", minutes: 360 },
];

export function Charts({ samples }: { readonly samples: readonly Sample[] }): JSX.Element {
  const [minutes, setMinutes] = useState(120);
  const last = samples.at(-1)?.at;
  const from = last === undefined ? 0 : Date.parse(last) - minutes * 60_000;
  const [times, ...rows] = useMemo(() => seriesOf(samples, from, values), [samples, from]);
  return (
    <section class="charts" aria-label="The last hours">
      <div class="spans" role="group" aria-label="Time shown">
        {spans.map((span) => (
          <button
            key={span.label}
            type="button"
            aria-pressed={span.minutes === minutes}
            onClick={() => setMinutes(span.minutes)}
          >
            {span.label}
          </button>
        ))}
      </div>
      <div class="charts-grid">
        {plans.map((plan) => (
          <PlannedChart key={plan.testId} plan={plan} times={times} rows={rows} />
        ))}
      </div>
    </section>
  );
}

interface PlannedProps {
  readonly plan: Plan;
  readonly times: number[];
  /** Of all the charts' lines, in their order. */
  readonly rows: (number | null)[][];
}

function PlannedChart({ plan, times, rows }: PlannedProps): JSX.Element {
  const data = useMemo(
    (): Series => [times, ...plan.lines.map((line) => rows[allLines.indexOf(line)] ?? [])],
    [times],
  );
  const { title, testId, lines, range } = plan;
  return (
    <div class="card">
      <Chart
        title={title}
        testId={testId}
        lines={lines}
        data={data}
        clock
        range={range}
        height={132}
        group="now"
      />
    </div>
  );
}
