import type { MessageEntry, Trace, TraceSide } from "../../trace/index.ts";
import type { PlannedEvent, PlannedSpan } from "./plan.ts";

/** Makes ms since 1970 of an entry's time. */
export type WallTime = (at: number) => number;

/** A message as far as set-up is concerned. */
interface Step {
  readonly entry: MessageEntry;
  /** Of the CSeq. */
  readonly method: string;
  /** Undefined: a request. */
  readonly status: number | undefined;
  readonly reason: string;
  /** A request outside of a dialog. */
  readonly opens: boolean;
}

/** Statuses that ask for the same INVITE again with a password (RFC 3261 22). */
const challenges = new Set([401, 407]);
/** The caller gave up: nothing failed. */
const cancelled = 487;
const sideNames: Readonly<Record<TraceSide, string>> = { browser: "browser", "sip-server": "SIP Server" };

export interface LegSpanOptions {
  readonly wall: WallTime;
  /** Of the call. */
  readonly end: number;
  /** What may be shown of words that the far side wrote. */
  readonly words: (text: string) => string;
}

/** The set-up of each leg of the call, transfers' too: from its INVITE to the ACK, or to the refusal. */
export function legSpans({ entries }: Pick<Trace, "entries">, options: LegSpanOptions): PlannedSpan[] {
  const legs = new Map<string, Step[]>();
  for (const entry of entries) {
    if (entry.kind !== "sip") continue;
    const callId = `${entry.side} ${field(entry.text, "call-id", "i")}`;
    const step = stepOf(entry, options.words);
    const known = legs.get(callId);
    if (known) known.push(step);
    else if (step.method === "INVITE" && step.opens) legs.set(callId, [step]);
  }
  return Array.from(legs.values()).flatMap((steps) => legSpan(steps, options) ?? []);
}

function legSpan(steps: readonly Step[], { wall, end }: LegSpanOptions): PlannedSpan | undefined {
  const [first] = steps;
  if (!first) return undefined;
  const final = steps.findIndex(
    ({ method, status = 0 }) => method === "INVITE" && status >= 200 && !challenges.has(status),
  );
  const setUp = final < 0 ? steps : steps.slice(0, final + 1);
  const answer = steps[final];
  const status = answer?.status;
  const ack = steps.find(
    ({ method, status: none }, index) => index > final && none === undefined && method === "ACK",
  );
  const last = status !== undefined && status < 300 ? ack : answer;
  const { side, direction, text } = first.entry;
  const failed = status !== undefined && status >= 300 && status !== cancelled;
  return {
    name: `${sideNames[side]} leg set-up`,
    kind: direction === "in" ? "server" : "client",
    start: wall(first.entry.at),
    end: last ? wall(last.entry.at) : end,
    attributes: {
      "network.protocol.name": "sip",
      "jackfield.leg": side,
      "jackfield.sip.call_id": field(text, "call-id", "i"),
      "jackfield.sip.response.status_code": status,
      "jackfield.sip.retransmissions": setUp.reduce((sum, { entry }) => sum + entry.repeats, 0),
      ...(failed ? { "error.type": String(status) } : {}),
    },
    events: setUp.slice(1).flatMap((step) => eventOf(step, wall)),
    error: failed ? `${status} ${answer?.reason ?? ""}`.trim() : undefined,
    children: [],
  };
}

/** Responses that say how it goes on, PRACK and CANCEL; 100 Trying says nothing. */
function eventOf({ entry, method, status, reason }: Step, wall: WallTime): PlannedEvent[] {
  const at = wall(entry.at);
  if (status === undefined)
    return method === "CANCEL" ? [{ name: "CANCEL", at, attributes: { "jackfield.leg": entry.side } }] : [];
  if (method !== "INVITE" || status === 100) return [];
  return [{ name: `${status} ${reason}`.trim(), at }];
}

function stepOf(entry: MessageEntry, words: LegSpanOptions["words"]): Step {
  const { text } = entry;
  const line = text.slice(0, text.indexOf("\r\n"));
  const [, code, reason = ""] = /^SIP\/2\.0 (\d{3}) ?(.*)$/.exec(line) ?? [];
  const method = /\s([A-Z]+)\s*$/.exec(field(text, "cseq"))?.[1] ?? "";
  const status = code === undefined ? undefined : Number(code);
  return {
    entry,
    method,
    status,
    reason: words(reason),
    opens: status === undefined && !/;\s*tag=/i.test(field(text, "to", "t")),
  };
}

/** A header's value, by long or compact name. */
export function field(text: string, ...names: readonly string[]): string {
  const blank = text.indexOf("\r\n\r\n");
  const head = blank < 0 ? text : text.slice(0, blank);
  return (
    new RegExp(`\\r\\n(?:${names.join("|")})[ \\t]*:[ \\t]*([^\\r\\n]*)`, "i").exec(head)?.[1]?.trim() ?? ""
  );
}
