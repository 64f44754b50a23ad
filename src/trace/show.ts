import type { MessageEntry, Trace, TraceEntry, TraceSide, TraceSummary } from "./contract.ts";
import { cutMessage } from "./cut.ts";
import { countersJson, qualityJson, qualityLines } from "./show-quality.ts";
import { sdpChanges } from "./sdp-change.ts";
import { messageWords, sdpWords } from "./words.ts";

/** A trace in a few words, as JSON of the admin API. */
export function summaryJson({ id, facts, since, callIds }: TraceSummary) {
  return {
    id,
    dn: facts.dn,
    direction: facts.direction,
    far_number: facts.farNumber,
    call_uuid: facts.callUuid ?? null,
    since,
    state: facts.state,
    status: facts.status ?? null,
    reason: facts.reason ?? null,
    call_ids: { browser: callIds.browser, sip_server: callIds["sip-server"] },
  };
}

/** A whole trace as JSON; times in ms from its first entry. */
export function traceJson(trace: Trace) {
  const { entries, counters } = trace;
  const start = entries[0]?.at ?? 0;
  const changes = sdpChanges(entries);
  return {
    ...summaryJson(trace),
    left_out: trace.leftOut,
    quality: trace.quality.map((point) => qualityJson(point, start)),
    counters: counters ? countersJson(counters) : null,
    entries: entries.map((entry) => entryJson(entry, start, trace.showDigits, changes)),
  };
}

/** By message: what its SDP changed. */
type Changes = ReadonlyMap<TraceEntry, string>;

function entryJson(entry: TraceEntry, start: number, showDigits: boolean, changes: Changes) {
  const { kind, side } = entry;
  const place = { at_ms: tenths(entry.at - start), kind, side: side === "sip-server" ? "sip_server" : side };
  if (entry.kind !== "sip") return { ...place, side: place.side ?? null, text: entry.text };
  const { direction, repeats, lastAt } = entry;
  return {
    ...place,
    direction,
    text: messageWords(entry),
    sdp: sdpWords(entry) ?? null,
    sdp_change: changes.get(entry) ?? null,
    repeats,
    last_repeat_ms: repeats === 0 ? null : tenths(lastAt - start),
    message: messageText(entry, showDigits),
  };
}

function messageText(entry: MessageEntry, showDigits: boolean): string {
  const text = cutMessage(entry.text, showDigits);
  return entry.cutOff === 0 ? text : `${text}\r\n[${entry.cutOff} further bytes left out]`;
}

/** Characters between two lines of the ladder. */
const laneWidth = 46;

/** A whole trace for people: the ladder, then the messages it numbers. */
export function traceText(trace: Trace): string {
  const start = trace.entries[0]?.at ?? 0;
  const numbers = new Map<MessageEntry, number>();
  for (const entry of trace.entries) if (entry.kind === "sip") numbers.set(entry, numbers.size + 1);
  const changes = sdpChanges(trace.entries);
  const ladder = trace.entries.flatMap((entry) => ladderLines(entry, start, numbers, changes));
  const messages = Array.from(numbers, ([entry, number]) =>
    [
      `[${number}] ${time(entry.at - start).trim()} ms, ${wayWords(entry)}`,
      messageText(entry, trace.showDigits).trimEnd(),
    ].join("\n"),
  );
  return `${[
    ...header(trace),
    "",
    ...ladder,
    "",
    ...qualityLines(trace, start),
    ...messages.flatMap((text) => [text, ""]),
  ]
    .join("\n")
    .replaceAll("\r", "")
    // Bodies may hold anything, and this is read in a terminal.
    .replaceAll(/[^\P{Cc}\n\t]/gu, "\ufffd")}\n`;
}

function header({ id, facts, since, callIds, leftOut }: Trace): string[] {
  const way = facts.direction === "to-agent" ? "from" : "to";
  const status = facts.status === undefined ? "" : ` ${facts.status}`;
  return [
    `call ${id}: DN ${facts.dn}, ${facts.direction}, ${way} ${facts.farNumber}, began ${since}`,
    `${facts.state}${status}${facts.reason === undefined ? "" : `: ${facts.reason}`}`,
    ...(facts.callUuid === undefined ? [] : [`X-Genesys-CallUUID ${facts.callUuid}`]),
    `Call-ID browser: ${callIds.browser.join(", ")}`,
    `Call-ID SIP Server: ${callIds["sip-server"].join(", ")}`,
    ...(leftOut > 0 ? [`${leftOut} entries of the middle were left out for want of room`] : []),
    "",
    `${"ms".padStart(10)}  browser${" ".repeat(laneWidth - 8)}Jackfield${" ".repeat(laneWidth - 8)}SIP Server`,
  ];
}

function ladderLines(
  entry: TraceEntry,
  start: number,
  numbers: ReadonlyMap<MessageEntry, number>,
  changes: Changes,
): string[] {
  const at = time(entry.at - start);
  if (entry.kind !== "sip") {
    const what = `${entry.side === undefined ? "" : `${sideWords(entry.side)} `}${entry.kind === "media" ? "media" : ""}`;
    const text = what === "" ? entry.text : `${what.trim()}: ${entry.text}`;
    return [`${at}  |${" ".repeat(laneWidth)}* ${text}`];
  }
  const repeats = entry.repeats === 0 ? "" : ` +${entry.repeats}x`;
  const first = `[${numbers.get(entry) ?? 0}] ${messageWords(entry)}${repeats}`;
  const sdp = sdpWords(entry);
  const second = sdp === undefined ? [] : [`${" ".repeat(10)}  ${lanes(entry.side, ` SDP ${sdp}`)}`];
  const change = changes.get(entry);
  const third =
    change === undefined
      ? []
      : [`${" ".repeat(10)}  |${" ".repeat(laneWidth)}* SDP of [${numbers.get(entry) ?? 0}]: ${change}`];
  return [`${at}  ${lanes(entry.side, arrow(entry, first))}`, ...second, ...third];
}

/** The three lines with `text` in the lane of `side`. */
function lanes(side: TraceSide, text: string): string {
  const empty = " ".repeat(laneWidth);
  return side === "browser" ? `|${fit(text)}|${empty}|` : `|${empty}|${fit(text)}|`;
}

function arrow(entry: MessageEntry, text: string): string {
  const rightward = (entry.side === "browser") === (entry.direction === "in");
  const short = text.length > laneWidth - 6 ? `${text.slice(0, laneWidth - 7)}…` : text;
  const line = "-".repeat(Math.max(1, laneWidth - short.length - 4));
  return rightward ? ` ${short} ${line}> ` : ` <${line} ${short} `;
}

function fit(text: string): string {
  return text.length > laneWidth ? `${text.slice(0, laneWidth - 1)}…` : text.padEnd(laneWidth);
}

function wayWords({ side, direction, repeats }: MessageEntry): string {
  const way = direction === "in" ? `from ${sideWords(side)}` : `to ${sideWords(side)}`;
  return repeats === 0 ? way : `${way}, repeated ${repeats} times`;
}

function sideWords(side: TraceSide): string {
  return side === "browser" ? "browser" : "SIP Server";
}

function time(ms: number): string {
  return ms.toFixed(1).padStart(10);
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
