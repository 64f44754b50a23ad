import type { JSX } from "preact";
import type { SipServer, Worker } from "../api/contract.ts";
import { Card, Lamp } from "../parts/bits.tsx";

export function ServersCard({ servers }: { readonly servers: readonly SipServer[] }): JSX.Element {
  return (
    <Card title="SIP Servers" testId="servers">
      <div class="scroll-x" tabIndex={0} role="region" aria-label="SIP Servers, scrollable">
        <table>
          <thead>
            <tr>
              <th scope="col">Server</th>
              <th scope="col">State</th>
              <th scope="col" class="number">
                Round trip
              </th>
              <th scope="col" class="number">
                DNs
              </th>
              <th scope="col" class="number">
                REGISTER/s
              </th>
            </tr>
          </thead>
          <tbody>
            {servers.map((server) => (
              <tr key={`${server.name} ${server.address}`}>
                <th scope="row" title={server.address}>
                  {server.name}
                </th>
                <td>
                  <Lamp text={stateOf(server)} tone={server.up ? "good" : "bad"} />
                </td>
                <td class="number">
                  {server.round_trip_ms === null ? "–" : `${server.round_trip_ms.toFixed(1)} ms`}
                </td>
                <td class="number">{server.registered}</td>
                <td class="number">{server.registers_per_second.toFixed(1)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function stateOf({ up, in_use }: SipServer): string {
  if (!up) return "down";
  return in_use ? "up, in use" : "up";
}

export function WorkersCard({ workers }: { readonly workers: readonly Worker[] }): JSX.Element {
  return (
    <Card title="Media workers" testId="workers">
      <div class="scroll-x" tabIndex={0} role="region" aria-label="Media workers, scrollable">
        <table>
          <thead>
            <tr>
              <th scope="col">Worker</th>
              <th scope="col">State</th>
              <th scope="col" class="wide">
                CPU
              </th>
              <th scope="col" class="number">
                Calls
              </th>
              <th scope="col" class="number">
                Late
              </th>
            </tr>
          </thead>
          <tbody>
            {workers.map((worker) => (
              <tr key={worker.index}>
                <th scope="row">{worker.index}</th>
                <td>
                  <WorkerLamp {...worker} />
                </td>
                <td>
                  <meter
                    min={0}
                    max={100}
                    high={80}
                    optimum={0}
                    value={worker.cpu_percent}
                    aria-label={`CPU of worker ${worker.index}`}
                  />{" "}
                  {Math.round(worker.cpu_percent)} %
                </td>
                <td class="number">
                  {worker.calls}
                  {worker.call_limit !== null && <span class="dim"> of {worker.call_limit}</span>}
                </td>
                <td class="number">{worker.late_ms.toFixed(1)} ms</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function WorkerLamp({ up, full }: Worker): JSX.Element {
  if (!up) return <Lamp text="down" tone="bad" />;
  return full ? <Lamp text="full" tone="wait" /> : <Lamp text="takes calls" tone="good" />;
}
