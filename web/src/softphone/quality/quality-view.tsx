import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { CallSnapshot } from "../phone/call-snapshot.ts";
import { Chart } from "./chart.tsx";
import { levelOf } from "../../shared/words.ts";
import type { WayFigures } from "../phone/gateway-events.ts";
import type { QualityWatch } from "./quality-watch.ts";

interface Props {
  readonly watch: QualityWatch;
  readonly call: CallSnapshot;
}

/** How the call sounds, both ways: always in sight while it is talked in. */
export function QualityView({ watch, call }: Props): JSX.Element | null {
  const [, redraw] = useState(0);
  useEffect(() => watch.onChange(() => redraw((count) => count + 1)), [watch]);
  const live = watch.live(call.callId);
  if (call.phase !== "talking" || live === undefined) return null;
  const { toCaller, fromCaller, points, warnings } = live;
  const trip = fromCaller?.roundTripMs ?? toCaller?.roundTripMs;
  return (
    <div class="quality" data-testid="quality">
      {(toCaller ?? fromCaller) !== undefined && (
        <table>
          <caption class="sr">How the call sounds now</caption>
          <thead>
            <tr>
              <th scope="col">{trip === undefined ? "Sound" : `${Math.round(trip)} ms there and back`}</th>
              <th scope="col">
                <abbr title="Mean opinion score, 1 to 4.5">MOS</abbr>
              </th>
              <th scope="col">Loss</th>
              <th scope="col">Jitter</th>
            </tr>
          </thead>
          <tbody>
            <Way name="You → caller" testId="quality-to-caller" figures={toCaller} />
            <Way name="Caller → you" testId="quality-from-caller" figures={fromCaller} />
          </tbody>
        </table>
      )}
      {points.length > 1 && <Chart points={points} />}
      <ul
        class="quality-warnings"
        data-testid="quality-warnings"
        role="status"
        hidden={warnings.length === 0}
      >
        {warnings.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </div>
  );
}

interface WayProps {
  readonly name: string;
  readonly testId: string;
  readonly figures: WayFigures | undefined;
}

function Way({ name, testId, figures }: WayProps): JSX.Element {
  if (figures === undefined)
    return (
      <tr data-testid={testId} data-level="unknown">
        <th scope="row">{name}</th>
        <td colSpan={3}>not known</td>
      </tr>
    );
  const level = levelOf(figures.mos);
  return (
    <tr data-testid={testId} data-level={level}>
      <th scope="row">{name}</th>
      <td>
        <b>{figures.mos.toFixed(1)}</b> {level}
      </td>
      <td>{Number(figures.lossPercent.toFixed(1))} %</td>
      <td>{Math.round(figures.jitterMs)} ms</td>
    </tr>
  );
}
