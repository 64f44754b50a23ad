import type { NoteEntry, Trace } from "../../trace/index.ts";
import type { WallTime } from "./leg-spans.ts";
import type { PlannedEvent, PlannedSpan } from "./plan.ts";

/** What begins and ends spans, in the words of the call's notes. */
interface Phase {
  readonly name: string;
  readonly begins: RegExp;
  readonly ends: RegExp;
  /** What makes an end a failure. */
  readonly fails?: RegExp;
  /** Name of the attribute that the first group of `begins` is. */
  readonly detail?: string;
  readonly within?: readonly Phase[];
}

/** Phases of a call; `test/telemetry/call-spans.test.ts` keeps the words those of `src/b2bua`. */
const phases: readonly Phase[] = [
  {
    name: "media set-up",
    begins: /^opened, RTP port /,
    ends: /^ICE and DTLS are up$|^closed: /,
    fails: /^closed: /,
    within: [
      {
        name: "ICE",
        begins: /^\S+ \(\d+\) (?:sendrecv|sendonly|recvonly|inactive)$/,
        ends: /^ICE: address /,
      },
      {
        name: "DTLS",
        begins: /^DTLS handshake begins$/,
        ends: /^DTLS handshake done|^failed: /,
        fails: /^failed: /,
      },
    ],
  },
  {
    name: "hold",
    begins: /^hold not-held -> (\S+) /,
    ends: /^hold \S+ -> not-held /,
    detail: "jackfield.hold.by",
  },
  {
    name: "transfer",
    begins: /^(agent|SIP Server) refers the call/,
    ends: /^agent's transfer is over|^transfer failed|^SIP Server's leg exchanged/,
    fails: /^transfer failed|^agent's transfer is over \(status: [3-6]/,
    detail: "jackfield.transfer.by",
  },
];

/** Notes that are events of the call, and their names: no text of a note goes out, there are numbers in it. */
const events: readonly (readonly [words: RegExp, name: string])[] = [
  [/^NOTIFY of SIP Server \(event: (\S+),/, "NOTIFY $1"],
  [/^the client has no connection/, "socket lost"],
  [/^the client goes by another connection/, "socket back"],
  [/^call taken over by a new leg/, "call taken over by its client"],
  [/^ICE restart$/, "ICE restart"],
  [/^ICE: lost/, "ICE lost"],
  [/^ICE: checks come again/, "ICE back"],
  [/^RTP from this side stopped/, "RTP stopped"],
  [/^RTP from this side again/, "RTP back"],
  [/^first packet from this side/, "first RTP packet"],
  [/^timer C is over/, "timer C is over"],
  [/^SIP Server's leg exchanged/, "SIP Server's leg exchanged"],
];
const digits = /^DTMF (heard|to send): (.*)$/;
const maximumEvents = 128;

function notesOf({ entries }: Pick<Trace, "entries">): NoteEntry[] {
  return entries.filter((entry): entry is NoteEntry => entry.kind !== "sip");
}

/** Media set-up, holds and transfers; one that has no end ends with the call. */
export function phaseSpans(trace: Pick<Trace, "entries">, wall: WallTime, end: number): PlannedSpan[] {
  const notes = notesOf(trace);
  return phases.flatMap((phase) => spansOf(phase, notes, wall, end));
}

function spansOf(phase: Phase, notes: readonly NoteEntry[], wall: WallTime, end: number): PlannedSpan[] {
  const spans: PlannedSpan[] = [];
  for (let index = 0; index < notes.length; index++) {
    const first = notes[index];
    const begun = first && phase.begins.exec(first.text);
    if (!begun) continue;
    const length = notes.slice(index + 1).findIndex(({ text }) => phase.ends.test(text));
    const after = length < 0 ? notes.length : index + 1 + length;
    const last = notes[after];
    const until = last ? wall(last.at) : end;
    spans.push({
      name: phase.name,
      kind: "internal",
      start: wall(first.at),
      end: until,
      attributes: phase.detail === undefined ? {} : { [phase.detail]: begun[1] },
      events: [],
      error: last && phase.fails?.test(last.text) ? `${phase.name} failed` : undefined,
      // Each part once: what comes later is an ICE restart or another page.
      children: (phase.within ?? []).flatMap((part) =>
        spansOf(part, notes.slice(index + 1, after), wall, until).slice(0, 1),
      ),
    });
    index = after - 1;
  }
  return spans;
}

/** What happened to the call beside its phases, the first ones. */
export function noteEvents(trace: Pick<Trace, "entries">, wall: WallTime): PlannedEvent[] {
  return notesOf(trace)
    .flatMap((note) => eventOf(note, wall) ?? [])
    .slice(0, maximumEvents);
}

function eventOf({ text, at, side }: NoteEntry, wall: WallTime): PlannedEvent | undefined {
  const where = side === undefined ? {} : { "jackfield.leg": side };
  const keys = digits.exec(text);
  if (keys) {
    const [, way = "", pressed = ""] = keys;
    return {
      name: `DTMF ${way}`,
      at: wall(at),
      attributes: { ...where, "jackfield.dtmf.count": pressed.length },
    };
  }
  for (const [words, name] of events) {
    const match = words.exec(text);
    if (match) return { name: name.replace("$1", match[1] ?? ""), at: wall(at), attributes: where };
  }
  return undefined;
}
