import { describe, expect, it } from "vitest";
import type { MessageEntry, NoteEntry, TraceEntry } from "../../../web/src/dashboard/api/contract.ts";
import {
  arrowWords,
  lanesIn,
  layLadder,
  rowsWithin,
  type ArrowRow,
  type Row,
} from "../../../web/src/dashboard/call/layout.ts";

const all = { states: true, media: true };

function sip(at_ms: number, text: string, more: Partial<MessageEntry> = {}): MessageEntry {
  return {
    at_ms,
    kind: "sip",
    side: "sip_server",
    direction: "in",
    text,
    sdp: null,
    repeats: 0,
    last_repeat_ms: null,
    message: "",
    ...more,
  };
}

function note(at_ms: number, kind: NoteEntry["kind"], text: string): NoteEntry {
  return { at_ms, kind, side: null, text };
}

function arrow(entry: MessageEntry, width = 800): ArrowRow {
  const [row] = layLadder([entry], width, all).rows;
  if (row?.row !== "arrow") throw new Error("no arrow");
  return row;
}

const kinds = (rows: readonly Row[]): string[] => rows.map(({ row }) => row);

describe("the ladder", () => {
  it("draws messages from whom they come to whom they go", () => {
    const { browser, jackfield, sipServer } = lanesIn(800);
    const way = (side: MessageEntry["side"], direction: MessageEntry["direction"]): number[] => {
      const { from, to } = arrow(sip(0, "BYE", { side, direction }));
      return [from, to];
    };
    expect(way("sip_server", "in")).toEqual([sipServer, jackfield]);
    expect(way("sip_server", "out")).toEqual([jackfield, sipServer]);
    expect(way("browser", "in")).toEqual([browser, jackfield]);
    expect(way("browser", "out")).toEqual([jackfield, browser]);
  });

  it("places rows one below the other without overlap, SDP with its message", () => {
    const { rows, height } = layLadder(
      [sip(0, "INVITE", { sdp: "sendrecv" }), note(1, "state", "ringing"), sip(2, "180 Ringing (INVITE)")],
      800,
      all,
    );
    let end = 0;
    for (const row of rows) {
      expect(row.top).toBeGreaterThanOrEqual(end);
      end = row.top + row.height;
    }
    expect(height).toBeGreaterThanOrEqual(end);
    expect(rows[0]?.height).toBeGreaterThan(rows[2]?.height ?? 0);
  });

  it("says how long nothing happened", () => {
    const { rows } = layLadder([sip(0, "A"), sip(900, "B"), sip(3300, "C"), sip(80_000, "D")], 800, all);
    expect(kinds(rows)).toEqual(["arrow", "arrow", "gap", "arrow", "gap", "arrow"]);
    expect(rows.flatMap((row) => (row.row === "gap" ? row.label : []))).toEqual([
      "2.4 s later",
      "1 min 17 s later",
    ]);
  });

  it("leaves out the notes that are not asked for, and keeps what is selected by its place in the trace", () => {
    const entries: TraceEntry[] = [
      note(0, "state", "x"),
      note(1, "media", "opened"),
      note(2, "event", "warning"),
      sip(3, "BYE"),
    ];
    const shown = (states: boolean, media: boolean): number[] =>
      layLadder(entries, 800, { states, media }).rows.map(({ index }) => index);
    expect(shown(false, false)).toEqual([2, 3]);
    expect(shown(true, false)).toEqual([0, 2, 3]);
    expect(shown(false, true)).toEqual([1, 2, 3]);
    expect(shown(true, true)).toEqual([0, 1, 2, 3]);
  });

  it("cuts what is longer than the room between two lanes, but never how often it was repeated", () => {
    const long = sip(0, "INVITE sip:5001-with-a-very-long-name@gateway.example.com", { repeats: 2 });
    const { label, from, to } = arrow(long, 340);
    expect(label.endsWith("… ×3")).toBe(true);
    expect(label.length * 6.7).toBeLessThan(Math.abs(from - to));
    expect(arrow(long, 1600).label).toBe(`${long.text} ×3`);
  });

  it("colours requests, progress, success and failure", () => {
    const tones = [
      "INVITE sip:1@x",
      "180 Ringing (INVITE)",
      "200 OK (INVITE)",
      "302 Moved (INVITE)",
      "486 Busy (INVITE)",
    ];
    expect(tones.map((text) => arrow(sip(0, text)).tone)).toEqual([
      "request",
      "progress",
      "success",
      "success",
      "failure",
    ]);
  });

  it("says an arrow in words", () => {
    const entry = sip(488.2, "NOTIFY talk", { side: "browser", direction: "out", repeats: 1 });
    expect(arrowWords(arrow(entry))).toBe("488.2 ms: NOTIFY talk, from Jackfield to browser, repeated once");
  });

  it("hands out only the rows in sight of a long trace", () => {
    const layout = layLadder(
      Array.from({ length: 3000 }, (_, index) => sip(index, "OPTIONS")),
      800,
      all,
    );
    const rows = rowsWithin(layout, 30_000, 30_600);
    expect(rows.length).toBeLessThan(25);
    expect(rows[0]?.top).toBeLessThanOrEqual(30_000);
    expect(rows.at(-1)?.top).toBeGreaterThan(30_550);
    expect(rowsWithin(layout, -100, 0)).toHaveLength(0);
    expect(rowsWithin(layout, -100, 1e9)).toHaveLength(3000);
    expect(rowsWithin(layLadder([], 800, all), 0, 500)).toHaveLength(0);
  });
});
