import type { JSX } from "preact";
import type { SipServer, Worker } from "../api/contract.ts";
import { Card, Lamp } from "../parts/bits.tsx";
import { WideTable } from "../parts/table.tsx";
import { figure } from "../store/words.ts";

const serverHeads = [
  { text: "Server" },
  { text: "State" },
  { text: "Round trip", class: "number" },
  { text: "DNs", class: "number" },
  { text: "REGISTER/s", class: "number" },
] as const;

const workerHeads = [
  { text: "Worker" },
  { text: "State" },
  { text: "CPU", class: "wide" },
  { text: "Calls", class: "number" },
  { text: "Late", class: "number" },
] as const;

export function ServersCard({ servers }: { readonly servers: readonly SipServer[] }): JSX.Element {
  return (
    <Card title="SIP Servers" testId="servers">
      <WideTable name="SIP Servers" heads={serverHeads}>
        {servers.map((server) => (
          <tr key={`${server.name} ${server.address}`}>
            <th scope="row" title={server.address}>
              {server.name}
            </th>
            <td>
              <Lamp text={stateOf(server)} tone={server.up ? "good" : "bad"} />
            </td>
            <td class="number">{figure(server.round_trip_ms, "ms", 1)}</td>
            <td class="number">{server.registered}</td>
            <td class="number">{server.registers_per_second.toFixed(1)}</td>
          </tr>
        ))}
      </WideTable>
    </Card>
  );
}

function stateOf({ up, in_use }: SipServer): string {
  if (!up) return "down";
  return in_use ? "in use" : "up";
}

export function WorkersCard({ workers }: { readonly workers: readonly Worker[] }): JSX.Element {
  return (
    <Card title="Media workers" testId="workers">
      <WideTable name="Media workers" heads={workerHeads}>
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
      </WideTable>
    </Card>
  );
}

function WorkerLamp({ up, full }: Worker): JSX.Element {
  if (!up) return <Lamp text="down" tone="bad" />;
  return full ? <Lamp text="full" tone="wait" /> : <Lamp text="takes calls" tone="good" />;
}
