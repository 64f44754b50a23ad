import type { QualityPoint, TracedQuality } from "./quality-series.ts";

/** The two sides of a call as the ladder names them. */
export type TraceSide = "browser" | "sip-server";

/** What a call is, for whoever looks for its trace. */
export interface CallFacts {
  readonly dn: string;
  readonly direction: "to-agent" | "from-agent";
  readonly farNumber: string;
  readonly callUuid: string | undefined;
  /** State in a word: `ringing`, `ended` ... */
  readonly state: string;
  /** Of a call that is over: status and reason of the end. */
  readonly status?: number | undefined;
  readonly reason?: string | undefined;
}

/** What is told beside messages. */
export type NoteKind = "state" | "media" | "event";

/** What the media of one side counted since it was opened. */
export interface TracedSideCounters {
  readonly codec: string | undefined;
  readonly packetsReceived: number;
  readonly packetsSent: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly packetsLost: number;
  readonly packetsReordered: number;
  readonly jitterMs: number;
  readonly jitterBufferMs: number | undefined;
  readonly driftPpm: number | undefined;
  readonly driftCorrections: number;
  readonly framesConcealed: number;
  readonly framesRecovered: number;
  /** By cause. */
  readonly dropped: Readonly<Record<string, number>>;
}

export interface TracedCounters {
  readonly browser: TracedSideCounters;
  readonly sipServer: TracedSideCounters;
}

/** What one call writes its trace with. Nothing of it throws or waits. */
export interface CallTrace {
  /** Messages with this Call-ID belong to the call from now on, those that have come already too. */
  dialog(side: TraceSide, callId: string): void;
  /** One line: a state change, an event of the media, a warning. `side` where it concerns one. No secrets. */
  note(kind: NoteKind, text: string, side?: TraceSide): void;
  /** How the last few seconds sounded: a point of the call's curve. */
  quality(ways: TracedQuality): void;
  /** The media's counters as of now; the last ones told stay. Keeps the object. */
  counters(counters: TracedCounters): void;
  /** Keys pressed, as text for a note: dots unless the configuration shows them. */
  digits(digits: string): string;
  /** The call is over; what still comes with its Call-IDs is kept as well. */
  ended(): void;
}

/** Where calls get their trace from. */
export interface CallTracer {
  /** `facts` is asked while the call runs, and a last time when it has ended. */
  begin(id: string, facts: () => CallFacts): CallTrace;
}

/** How much is kept. */
export interface TraceLimits {
  /** Calls, running ones included. */
  readonly calls: number;
  /** Memory of all, bytes. */
  readonly bytes: number;
  /** Keys pressed are shown. */
  readonly showDigits: boolean;
}

/** A SIP message in the ladder; `text` as it was on the wire, one character per byte, secrets still in it. */
export interface MessageEntry {
  readonly kind: "sip";
  /** `Clock.now()`. */
  readonly at: number;
  readonly side: TraceSide;
  /** As seen by us. */
  readonly direction: "in" | "out";
  readonly text: string;
  /** Characters that were cut off its end. */
  readonly cutOff: number;
  /** How many times it was repeated, and when last. */
  repeats: number;
  lastAt: number;
}

export interface NoteEntry {
  readonly kind: NoteKind;
  readonly at: number;
  readonly side: TraceSide | undefined;
  readonly text: string;
}

export type TraceEntry = MessageEntry | NoteEntry;

/** A trace in a few words. */
export interface TraceSummary {
  /** The call's id; `refused-...` for an INVITE that was refused before it was a call. */
  readonly id: string;
  readonly facts: CallFacts;
  /** ISO 8601 UTC. */
  readonly since: string;
  readonly callIds: Readonly<Record<TraceSide, readonly string[]>>;
}

/** A whole trace. */
export interface Trace extends TraceSummary {
  readonly entries: readonly TraceEntry[];
  /** Entries left out of the middle of a long call. */
  readonly leftOut: number;
  /** How it sounded, a point for every few seconds; of a long call fewer, each the worst of what it stands for. */
  readonly quality: readonly QualityPoint[];
  /** Undefined as long as no media told any. */
  readonly counters: TracedCounters | undefined;
  readonly showDigits: boolean;
}

/** What traces are looked for by; all that is given must fit. */
export interface TraceFilter {
  readonly dn?: string | undefined;
  /** Part of the far number. */
  readonly number?: string | undefined;
  readonly callId?: string | undefined;
  readonly callUuid?: string | undefined;
}
