import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { TraceSummary } from "../api/contract.ts";
import { At, Direction, Lamp } from "../parts/bits.tsx";
import { List, type ListColumn } from "../parts/list.tsx";
import type { Sort } from "../store/rows.ts";
import { callHash } from "../store/view.ts";
import { callWords, endWords } from "../store/words.ts";
import type { ViewProps } from "./props.ts";

const columns: readonly ListColumn<TraceSummary>[] = [
  {
    key: "since",
    label: "Began",
    track: "8.5rem",
    narrow: true,
    value: ({ since }) => since,
    cell: ({ since, id, dn }) => (
      <a class="row-link" href={callHash(id)}>
        <At iso={since} />
        <span class="sr"> call of {dn}</span>
      </a>
    ),
  },
  {
    key: "dn",
    label: "DN",
    track: "minmax(5rem, 1fr)",
    narrow: true,
    value: ({ dn }) => dn,
    cell: ({ dn }) => <b>{dn}</b>,
  },
  {
    key: "direction",
    label: "Direction",
    track: "6.5rem",
    value: ({ direction }) => direction,
    cell: ({ direction }) => <Direction of={direction} />,
  },
  {
    key: "number",
    label: "Number",
    track: "minmax(7rem, 1.2fr)",
    narrow: true,
    value: ({ far_number }) => far_number,
    cell: ({ far_number }) => far_number,
  },
  {
    key: "state",
    label: "State",
    track: "6.5rem",
    narrow: true,
    value: ({ state }) => state,
    cell: ({ state }) => <Lamp {...callWords(state)} />,
  },
  {
    key: "status",
    label: "How it ended",
    track: "minmax(12rem, 3fr)",
    narrow: true,
    value: ({ status }) => status,
    cell: ({ status, reason }) => {
      const text = endWords(status, reason);
      return (
        <span title={text} data-bad={status !== null && status >= 300}>
          {text}
        </span>
      );
    },
  },
  {
    key: "uuid",
    label: "CallUUID",
    track: "minmax(8rem, 1.6fr)",
    value: ({ call_uuid }) => call_uuid,
    cell: ({ call_uuid }) => <span title={call_uuid ?? ""}>{call_uuid ?? "–"}</span>,
  },
];

export function PastView({ state, now }: ViewProps): JSX.Element {
  const [sort, setSort] = useState<Sort>({ key: "since", descending: true });
  const { past, term, live } = state;
  if (live.gateway?.traces === false)
    return (
      <p class="empty">
        Jackfield keeps no traces: set <code>trace.calls</code> in its configuration to look at past calls.
      </p>
    );
  return (
    <List
      name="Past calls"
      testId="past"
      rows={past.calls}
      columns={columns}
      sort={sort}
      onSort={setSort}
      keyOf={({ id }) => id}
      now={now}
      empty={emptyWords(past.loading, past.error, term)}
    />
  );
}

function emptyWords(loading: boolean, error: string | undefined, term: string): string {
  if (loading) return "Looking…";
  if (error !== undefined) return `Nothing could be read: ${error}.`;
  if (term.trim() === "") return "No call has been kept yet.";
  return `No kept call has “${term}”. DN, Call-ID and CallUUID must be whole, of a number a part is enough.`;
}
