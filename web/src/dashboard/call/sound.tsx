import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { soundWays, type Call, type SoundWay, type Trace } from "../api/contract.ts";
import { Card, Mos } from "../parts/bits.tsx";
import { Chart, type ChartLine } from "../parts/chart.tsx";
import { Table } from "../parts/table.tsx";
import { mosSeries } from "../store/series.ts";
import { figure } from "../store/words.ts";
import { counterLines } from "./counters.ts";

export const wayWords: Readonly<Record<SoundWay, string>> = {
  from_browser: "from browser",
  to_browser: "to browser",
  from_sip_server: "from SIP Server",
  to_sip_server: "to SIP Server",
};

const lines: readonly ChartLine[] = soundWays.map((way, index) => ({
  label: wayWords[way],
  colour: `--chart-${index + 1}`,
  words: (mos) => mos.toFixed(2),
}));

const heads = [
  { text: "Way" },
  { text: "MOS" },
  { text: "Loss", class: "number" },
  { text: "Jitter", class: "number" },
  { text: "Round trip", class: "number" },
] as const;

/** How it sounds each way: over the call, and now. */
export function SoundCard({
  call,
  trace,
}: {
  call: Call | undefined;
  trace: Trace | undefined;
}): JSX.Element {
  const reports = trace?.quality;
  const data = useMemo(() => mosSeries(reports ?? [], soundWays), [reports]);
  const known = (reports?.length ?? 0) > 0;
  const now = call?.quality ?? reports?.at(-1) ?? null;
  return (
    <Card title="Sound" testId="sound">
      {known && (
        <Chart
          title="MOS"
          testId="mos-curve"
          lines={lines}
          data={data}
          clock={false}
          range={[1, 4.5]}
          height={130}
        />
      )}
      {now === null ? (
        <p class="empty">Not measured: no sound has run for five seconds.</p>
      ) : (
        <Table heads={heads}>
          {soundWays.map((way) => (
            <tr key={way}>
              <th scope="row">{wayWords[way]}</th>
              <td>
                <Mos value={now[way]?.mos} />
              </td>
              <td class="number">{figure(now[way]?.loss_percent, "%", 1)}</td>
              <td class="number">{figure(now[way]?.jitter_ms, "ms", 1)}</td>
              <td class="number">{figure(now[way]?.round_trip_ms, "ms")}</td>
            </tr>
          ))}
        </Table>
      )}
    </Card>
  );
}

export function CountersCard({ trace }: { trace: Trace | undefined }): JSX.Element | null {
  const counters = trace?.counters;
  if (!counters) return null;
  return (
    <Card title="Media counters" testId="counters">
      <dl class="counters">
        {counterLines(counters).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}
