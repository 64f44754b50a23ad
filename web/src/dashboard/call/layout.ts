import type { MessageEntry, NoteEntry, TraceEntry, TraceSide } from "../api/contract.ts";
import { traceTime } from "../store/words.ts";

/** What of a trace is drawn. */
export interface Shown {
  readonly states: boolean;
  readonly media: boolean;
}

/** Where the three lanes stand, px from the left. */
export interface Lanes {
  readonly width: number;
  readonly browser: number;
  readonly jackfield: number;
  readonly sipServer: number;
}

interface Place {
  /** Of the entry in the trace. */
  readonly index: number;
  /** Upper edge, px. */
  readonly top: number;
  readonly height: number;
}

export interface ArrowRow extends Place {
  readonly row: "arrow";
  readonly entry: MessageEntry;
  readonly from: number;
  readonly to: number;
  /** Cut to the room between the lanes. */
  readonly label: string;
  readonly sdp: string | undefined;
  /** Request, and of responses the first digit: what colour it has. */
  readonly tone: "request" | "progress" | "success" | "failure";
}

export interface NoteRow extends Place {
  readonly row: "note";
  readonly entry: NoteEntry;
  /** Middle of the note. */
  readonly x: number;
  readonly label: string;
}

/** Time in which nothing happened. */
export interface GapRow extends Place {
  readonly row: "gap";
  readonly label: string;
}

export type Row = ArrowRow | NoteRow | GapRow;

export interface Layout {
  readonly lanes: Lanes;
  readonly height: number;
  readonly rows: readonly Row[];
}

/** Beyond this nothing happened, ms. */
const gapMs = 1000;
const heights = { arrow: 30, sdp: 14, note: 24, gap: 26 };
/** Width of a character of the ladder's font, px. */
const characterWidth = 6.7;

/** The lanes in this width; narrow ones leave less for the times. */
export function lanesIn(width: number): Lanes {
  const times = width < 520 ? 58 : 82;
  const edge = width < 520 ? 10 : 46;
  const browser = times + edge * 0.6;
  const sipServer = width - edge;
  return { width, browser, jackfield: (browser + sipServer) / 2, sipServer };
}

/** Places what is shown of a trace, from the top down. */
export function layLadder(entries: readonly TraceEntry[], width: number, shown: Shown): Layout {
  const lanes = lanesIn(width);
  const rows: Row[] = [];
  let top = 8;
  let before: number | undefined;
  entries.forEach((entry, index) => {
    if (!isShown(entry, shown)) return;
    const idle = before === undefined ? 0 : entry.at_ms - before;
    if (idle >= gapMs) {
      rows.push({ row: "gap", index, top, height: heights.gap, label: `${gapWords(idle)} later` });
      top += heights.gap;
    }
    before = entry.at_ms;
    const row = entry.kind === "sip" ? arrowOf(entry, index, top, lanes) : noteOf(entry, index, top, lanes);
    rows.push(row);
    top += row.height;
  });
  return { lanes, rows, height: top + 8 };
}

function isShown(entry: TraceEntry, shown: Shown): boolean {
  if (entry.kind === "sip" || entry.kind === "event") return true;
  return entry.kind === "state" ? shown.states : shown.media;
}

/** Rows that reach into `from` to `to`, px from the top. */
export function rowsWithin(layout: Layout, from: number, to: number): readonly Row[] {
  const { rows } = layout;
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = rows[middle];
    if (row && row.top + row.height < from) low = middle + 1;
    else high = middle;
  }
  const end = rows.findIndex((row, index) => index >= low && row.top > to);
  return rows.slice(low, end === -1 ? undefined : end);
}

/** What a row is called for who does not see it. */
export function arrowWords({ entry }: ArrowRow): string {
  const far = sideWords(entry.side);
  const way = entry.direction === "in" ? `from ${far} to Jackfield` : `from Jackfield to ${far}`;
  const times = entry.repeats === 1 ? "once" : `${entry.repeats} times`;
  const again = entry.repeats === 0 ? "" : `, repeated ${times}`;
  return `${traceTime(entry.at_ms)}: ${entry.text}, ${way}${again}`;
}

export function sideWords(side: TraceSide): string {
  return side === "browser" ? "browser" : "SIP Server";
}

function arrowOf(entry: MessageEntry, index: number, top: number, lanes: Lanes): ArrowRow {
  const far = entry.side === "browser" ? lanes.browser : lanes.sipServer;
  const [from, to] = entry.direction === "in" ? [far, lanes.jackfield] : [lanes.jackfield, far];
  const room = Math.abs(to - from) - 18;
  const again = entry.repeats === 0 ? "" : ` ×${entry.repeats + 1}`;
  const said = entry.sdp_change ?? entry.sdp;
  const sdp = said === null ? undefined : cut(said, room);
  return {
    row: "arrow",
    index,
    top,
    height: heights.arrow + (sdp === undefined ? 0 : heights.sdp),
    entry,
    from,
    to,
    label: `${cut(entry.text, room - again.length * characterWidth)}${again}`,
    sdp,
    tone: toneOf(entry.text),
  };
}

function toneOf(text: string): ArrowRow["tone"] {
  const status = /^([1-6])\d\d /.exec(text)?.[1];
  if (status === undefined) return "request";
  if (status === "1") return "progress";
  return status === "2" || status === "3" ? "success" : "failure";
}

function noteOf(entry: NoteEntry, index: number, top: number, lanes: Lanes): NoteRow {
  const side = entry.side === null ? "" : `${sideWords(entry.side)}: `;
  const room = lanes.sipServer - lanes.browser - 24;
  return {
    row: "note",
    index,
    top,
    height: heights.note,
    entry,
    x: lanes.jackfield,
    label: cut(`${side}${entry.text}`, room),
  };
}

function cut(text: string, room: number): string {
  const characters = Math.max(3, Math.floor(room / characterWidth));
  return text.length <= characters ? text : `${text.slice(0, characters - 1)}…`;
}

function gapWords(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}
