import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { duration } from "../../shared/words.ts";
import type { Call } from "../api/contract.ts";
import { Direction, Lamp, Mos } from "../parts/bits.tsx";
import { List, type ListColumn } from "../parts/list.tsx";
import { matching, type Sort } from "../store/rows.ts";
import { callHash } from "../store/view.ts";
import { callWords, figure } from "../store/words.ts";
import type { ViewProps } from "./props.ts";

/** What a call is found by. */
export function callTexts({ dn, far_number, call_uuid, id }: Call): (string | null)[] {
  return [dn, far_number, call_uuid, id];
}

/** Of the ways that are known, the worst. */
function worst(call: Call, of: "loss_percent" | "round_trip_ms"): number | null {
  const values = Object.values(call.quality ?? {}).flatMap((way) => way[of] ?? []);
  return values.length === 0 ? null : Math.max(...values);
}

function codecs({ codecs: { browser, sip_server } }: Call): string {
  return browser === null && sip_server === null ? "" : `${browser ?? "?"} ⇄ ${sip_server ?? "?"}`;
}

const columns: readonly ListColumn<Call>[] = [
  {
    key: "dn",
    label: "DN",
    track: "minmax(5rem, 1fr)",
    narrow: true,
    value: ({ dn }) => dn,
    cell: ({ id, dn }) => (
      <a class="row-link" href={callHash(id)}>
        {dn}
      </a>
    ),
  },
  {
    key: "duration",
    label: "Duration",
    track: "5rem",
    number: true,
    narrow: true,
    value: ({ since }) => -Date.parse(since),
    cell: ({ since }, now) => duration(now - Date.parse(since)),
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
    track: "minmax(7rem, 1.4fr)",
    narrow: true,
    value: ({ far_number }) => far_number,
    cell: ({ far_number, direction }) => (
      <span title={direction}>
        <span class="narrow-only" aria-hidden="true">
          {direction === "to-agent" ? "↘ " : "↗ "}
        </span>
        {far_number}
      </span>
    ),
  },
  {
    key: "mos",
    label: "MOS",
    track: "6.2rem",
    number: true,
    narrow: true,
    value: ({ mos }) => mos,
    cell: ({ mos }) => <Mos value={mos} />,
  },
  {
    key: "state",
    label: "State",
    track: "7rem",
    narrow: true,
    value: ({ state, held }) => callWords(state, held).text,
    cell: ({ state, held, capture }) => (
      <>
        <Lamp {...callWords(state, held)} />
        {capture !== null && <span title="A capture runs"> ●</span>}
      </>
    ),
  },
  {
    key: "codecs",
    label: "Codecs",
    track: "8rem",
    narrow: true,
    value: codecs,
    cell: codecs,
  },
  {
    key: "loss",
    label: "Loss",
    track: "4.5rem",
    number: true,
    value: (call) => worst(call, "loss_percent"),
    cell: (call) => figure(worst(call, "loss_percent"), "%", 1),
  },
  {
    key: "trip",
    label: "Round trip",
    track: "5.6rem",
    number: true,
    value: (call) => worst(call, "round_trip_ms"),
    cell: (call) => figure(worst(call, "round_trip_ms"), "ms"),
  },
  {
    key: "server",
    label: "SIP Server",
    track: "minmax(6rem, 1fr)",
    value: ({ server }) => server,
    cell: ({ server }) => server ?? "–",
  },
];

export function CallsView({ state, now }: ViewProps): JSX.Element {
  const [sort, setSort] = useState<Sort>({ key: "duration", descending: false });
  const { live, term } = state;
  const rows = useMemo(() => matching(live.calls.values(), term, callTexts), [live.calls, term]);
  const empty =
    term.trim() === "" ? (
      "No call runs now."
    ) : (
      <>
        No running call has “{term}”. <a href="#past">Look among past calls</a>
      </>
    );
  return (
    <List
      name="Calls"
      testId="calls"
      rows={rows}
      columns={columns}
      sort={sort}
      onSort={setSort}
      keyOf={({ id }) => id}
      now={now}
      empty={empty}
    />
  );
}
