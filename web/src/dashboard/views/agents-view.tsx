import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { Agent } from "../api/contract.ts";
import { At, Lamp } from "../parts/bits.tsx";
import { List, type ListColumn } from "../parts/list.tsx";
import type { Dashboard } from "../store/dashboard.ts";
import { matching, type Sort } from "../store/rows.ts";
import { callHash } from "../store/view.ts";
import { clientWords, trunkWords } from "../store/words.ts";
import type { ViewProps } from "./props.ts";

/** What an agent is found by. */
export function agentTexts({ dn, address, calls }: Agent): (string | null)[] {
  return [dn, address, ...calls];
}

const columns: readonly ListColumn<Agent>[] = [
  {
    key: "dn",
    label: "DN",
    track: "minmax(5rem, 0.8fr)",
    narrow: true,
    value: ({ dn }) => dn,
    cell: ({ dn }) => <b>{dn}</b>,
  },
  {
    key: "state",
    label: "At SIP Server",
    track: "minmax(9rem, 1.6fr)",
    narrow: true,
    value: ({ trunk }) => trunkWords(trunk.state).text,
    cell: ({ trunk, reachable }) => (
      <span title={trunk.reason}>
        {!reachable && <span class="narrow-only">connection lost, </span>}
        <Lamp {...trunkWords(trunk.state)} />
        {trunk.reason !== "" && <span class="dim"> {trunk.reason}</span>}
      </span>
    ),
  },
  {
    key: "reachable",
    label: "Connection",
    track: "7rem",
    value: ({ reachable }) => (reachable ? "connected" : "lost"),
    cell: ({ reachable }) => (
      <Lamp {...(reachable ? { text: "connected", tone: "good" } : { text: "lost", tone: "bad" })} />
    ),
  },
  {
    key: "call",
    label: "Call",
    track: "5rem",
    narrow: true,
    value: ({ calls }) => (calls.length === 0 ? null : -calls.length),
    cell: ({ calls, dn }) => <Calls ids={calls} dn={dn} />,
  },
  {
    key: "server",
    label: "SIP Server",
    track: "minmax(6rem, 1fr)",
    value: ({ trunk }) => trunk.server,
    cell: ({ trunk }) => trunk.server ?? "–",
  },
  {
    key: "browser",
    label: "Browser",
    track: "minmax(8rem, 1.2fr)",
    value: clientWords,
    cell: (agent) => <span title={agent.user_agent ?? ""}>{clientWords(agent)}</span>,
  },
  {
    key: "address",
    label: "Address",
    track: "minmax(8rem, 1fr)",
    value: ({ address }) => address,
    cell: ({ address }) => address,
  },
  {
    key: "since",
    label: "Signed in",
    track: "6.5rem",
    value: ({ since }) => since,
    cell: ({ since }) => <At iso={since} />,
  },
];

function Calls({ ids, dn }: { ids: readonly string[]; dn: string }): JSX.Element {
  const [first] = ids;
  if (first === undefined) return <span class="dim">–</span>;
  return (
    <a href={callHash(first)}>
      {ids.length === 1 ? "in a call" : `${ids.length} calls`}
      <span class="sr"> of {dn}</span>
    </a>
  );
}

/** One more column for who may operate; made once, or each change would sort anew. */
function withActs(dashboard: Dashboard): readonly ListColumn<Agent>[] {
  return [
    ...columns,
    {
      key: "act",
      label: "Act",
      track: "5.5rem",
      narrow: true,
      value: () => null,
      cell: (agent) => (
        <button type="button" class="small" onClick={() => dashboard.ask(dashboard.acts.signOut(agent))}>
          Sign out<span class="sr"> {agent.dn}</span>
        </button>
      ),
    },
  ];
}

export function AgentsView({ dashboard, state, now, operates }: ViewProps): JSX.Element {
  const [sort, setSort] = useState<Sort>({ key: "dn", descending: false });
  const { live, term } = state;
  const rows = useMemo(() => matching(live.agents.values(), term, agentTexts), [live.agents, term]);
  const shown = useMemo(() => (operates ? withActs(dashboard) : columns), [dashboard, operates]);
  return (
    <List
      name="Agents"
      testId="agents"
      rows={rows}
      columns={shown}
      sort={sort}
      onSort={setSort}
      keyOf={({ id }) => id}
      now={now}
      empty={term.trim() === "" ? "Nobody is signed in." : `No agent has “${term}”.`}
    />
  );
}
