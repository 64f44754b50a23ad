import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { TraceEntry } from "../api/contract.ts";
import { useSize } from "../parts/use-size.ts";
import { traceTime } from "../store/words.ts";
import {
  arrowWords,
  layLadder,
  rowsWithin,
  type ArrowRow,
  type GapRow,
  type Lanes,
  type Layout,
  type NoteRow,
  type Row,
  type Shown,
} from "./layout.ts";

interface LadderProps {
  readonly entries: readonly TraceEntry[];
  readonly shown: Shown;
  /** Index of the entry whose message is shown. */
  readonly selected: number | undefined;
  readonly onSelect: (index: number) => void;
}

/** Rows drawn above and below what is in sight, px. */
const around = 400;

/** The ladder of both legs. Up, Down, Home and End go from message to message, Enter shows one. */
export function Ladder({ entries, shown, selected, onSelect }: LadderProps): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(scroller);
  const [scrolled, setScrolled] = useState(0);
  const layout = useMemo(() => layLadder(entries, Math.max(width, 300), shown), [entries, width, shown]);
  const arrows = useMemo(() => layout.rows.filter((row) => row.row === "arrow"), [layout]);
  const focus = useArrowFocus(scroller, arrows, onSelect);
  const rows = rowsWithin(layout, scrolled - around, scrolled + height + around);
  const first = arrows.some(({ index }) => index === focus.at) ? focus.at : (selected ?? arrows[0]?.index);
  return (
    <div class="ladder-box">
      <LaneHeads lanes={layout.lanes} />
      <div
        class="ladder"
        data-testid="ladder"
        ref={scroller}
        onScroll={({ currentTarget }) => setScrolled(currentTarget.scrollTop)}
        onKeyDown={focus.onKey}
      >
        <svg
          width={layout.lanes.width}
          height={Math.max(layout.height, height)}
          role="group"
          aria-label={`Ladder of the call: ${arrows.length} messages. Up and down go through them, Enter shows one.`}
        >
          <LaneLines layout={layout} height={height} />
          {rows.map((row) => (
            <RowShown
              key={`${row.row} ${row.index}`}
              row={row}
              lanes={layout.lanes}
              selected={row.index === selected}
              reachable={row.index === first}
              onSelect={onSelect}
            />
          ))}
        </svg>
        {layout.rows.length === 0 && <p class="empty">Nothing to show.</p>}
      </div>
    </div>
  );
}

/** One arrow at a time is reached by Tab; the others by the arrow keys, those out of sight included. */
function useArrowFocus(
  scroller: { readonly current: HTMLDivElement | null },
  arrows: readonly ArrowRow[],
  onSelect: (index: number) => void,
) {
  const [at, setAt] = useState<number>();
  const moved = useRef(false);
  const next = useRef<number>(undefined);
  useEffect(() => {
    if (!moved.current) return;
    // The last one pressed for, which may be a draw ahead.
    const arrow = scroller.current?.querySelector<SVGGElement>(`[data-index="${next.current}"]`);
    // Not drawn until the scrolling is: the next draw has it.
    if (!arrow) return;
    moved.current = false;
    arrow.focus({ preventScroll: true });
  });
  const onKey = (event: KeyboardEvent): void => {
    const place = event.target instanceof Element ? event.target.closest("[data-index]") : null;
    // Pressed again before the focus has followed.
    const from = moved.current ? String(next.current) : place?.getAttribute("data-index");
    const now = arrows.findIndex(({ index }) => String(index) === from);
    if (now < 0) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      onSelect(arrows[now]?.index ?? 0);
    }
    const steps: Readonly<Record<string, number>> = {
      ArrowUp: now - 1,
      ArrowDown: now + 1,
      Home: 0,
      End: arrows.length - 1,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const arrow = arrows[Math.max(0, Math.min(arrows.length - 1, step))];
    const box = scroller.current;
    if (!arrow || !box) return;
    if (arrow.top < box.scrollTop) box.scrollTop = arrow.top - 40;
    const bottom = arrow.top + arrow.height;
    if (bottom > box.scrollTop + box.clientHeight) box.scrollTop = bottom + 40 - box.clientHeight;
    moved.current = true;
    next.current = arrow.index;
    setAt(arrow.index);
  };
  return { at, onKey };
}

function LaneHeads({ lanes }: { readonly lanes: Lanes }): JSX.Element {
  return (
    <div class="lane-heads" aria-hidden="true">
      <span style={{ left: `${lanes.browser}px` }}>Browser</span>
      <span style={{ left: `${lanes.jackfield}px` }}>Jackfield</span>
      <span style={{ left: `${Math.min(lanes.sipServer, lanes.width - 42)}px` }}>SIP Server</span>
    </div>
  );
}

function LaneLines({ layout, height }: { readonly layout: Layout; readonly height: number }): JSX.Element {
  const { browser, jackfield, sipServer } = layout.lanes;
  const end = Math.max(layout.height, height);
  return (
    <>
      {[browser, jackfield, sipServer].map((x, index) => (
        <line key={index} class="lane" x1={x} x2={x} y1={0} y2={end} />
      ))}
    </>
  );
}

interface RowProps<R extends Row> {
  readonly row: R;
  readonly lanes: Lanes;
  readonly selected: boolean;
  readonly reachable: boolean;
  readonly onSelect: (index: number) => void;
}

function RowShown(props: RowProps<Row>): JSX.Element {
  const { row } = props;
  if (row.row === "arrow") return <Arrow {...props} row={row} />;
  return row.row === "note" ? <Note row={row} /> : <Gap row={row} lanes={props.lanes} />;
}

function Arrow({ row, lanes, selected, reachable, onSelect }: RowProps<ArrowRow>): JSX.Element {
  const { top, height, from, to, label, sdp, tone, entry, index } = row;
  const y = top + 22;
  const way = to > from ? 1 : -1;
  const middle = (from + to) / 2;
  return (
    <g
      class="arrow"
      data-tone={tone}
      data-index={index}
      data-testid="arrow"
      role="button"
      tabindex={reachable ? 0 : -1}
      aria-pressed={selected}
      aria-label={arrowWords(row)}
      onClick={() => onSelect(index)}
    >
      <rect class="hit" x={2} y={top + 1} width={lanes.width - 4} height={height - 1} rx={5} />
      <text class="time" x={8} y={y + 1}>
        {traceTime(entry.at_ms)}
      </text>
      <text class="label" x={middle} y={y - 6}>
        {label}
      </text>
      <line x1={from} x2={to - way * 6} y1={y} y2={y} />
      <path d={`M${to} ${y}l${-way * 8} -4v8z`} />
      {sdp !== undefined && (
        <text class="sdp" x={middle} y={y + 13}>
          {sdp}
        </text>
      )}
    </g>
  );
}

function Note({ row: { top, height, x, label, entry } }: { readonly row: NoteRow }): JSX.Element {
  const wide = label.length * 6.7 + 18;
  return (
    <g class="note" data-kind={entry.kind} data-testid="note">
      <title>{entry.text}</title>
      <text class="time" x={8} y={top + 16}>
        {traceTime(entry.at_ms)}
      </text>
      <rect x={x - wide / 2} y={top + 2} width={wide} height={height - 4} rx={9} />
      <text class="label" x={x} y={top + 16}>
        {label}
      </text>
    </g>
  );
}

function Gap({
  row: { top, height, label },
  lanes,
}: {
  readonly row: GapRow;
  readonly lanes: Lanes;
}): JSX.Element {
  const y = top + height / 2;
  return (
    <g class="gap">
      <line x1={lanes.browser - 8} x2={lanes.sipServer + 8} y1={y} y2={y} />
      <rect x={lanes.jackfield - label.length * 4} y={top + 2} width={label.length * 8} height={height - 4} />
      <text x={lanes.jackfield} y={y + 4}>
        {label}
      </text>
    </g>
  );
}
