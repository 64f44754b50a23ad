import type { CallFacts, MessageEntry, TracedCounters, TraceEntry, TraceSide } from "./contract.ts";
import { QualitySeries, type QualityPoint } from "./quality-series.ts";

/** What the ladder of a call may take, bytes. */
const ladderBytes = 262_144;
/** What an entry takes beside its text, bytes. */
const entryBytes = 160;
/** What the counters of both sides take, bytes. */
const countersBytes = 1500;
/** Call-IDs one side of a call may bring together: transfers and resumptions have a handful. */
const callIdsOfSide = 32;
/** How far back a repetition is looked for, entries. */
const repeatsWithin = 16;

/** The entries of one call in memory. Beyond its limit the beginning and the end stay, the middle goes. */
export class Ladder {
  readonly id: string;
  /** When it began, ms since 1970. */
  readonly since: number;
  readonly callIds: Record<TraceSide, string[]> = { browser: [], "sip-server": [] };
  readonly #quality = new QualitySeries();
  #counters: TracedCounters | undefined;
  facts: () => CallFacts;
  readonly #limit: number;
  #entries: TraceEntry[] = [];
  #bytes = entryBytes;
  #headLength = 0;
  #leftOut = 0;

  /** `limit`: what it may take, bytes. */
  constructor(id: string, since: number, facts: () => CallFacts, limit = ladderBytes) {
    this.#limit = limit;
    this.id = id;
    this.since = since;
    this.facts = facts;
  }

  get entries(): readonly TraceEntry[] {
    return this.#entries;
  }

  get bytes(): number {
    return this.#bytes + this.#quality.bytes + (this.#counters ? countersBytes : 0);
  }

  get quality(): QualityPoint[] {
    return this.#quality.points();
  }

  get counters(): TracedCounters | undefined {
    return this.#counters;
  }

  addQuality(point: QualityPoint): void {
    this.#quality.add(point);
  }

  setCounters(counters: TracedCounters): void {
    this.#counters = counters;
  }

  get leftOut(): number {
    return this.#leftOut;
  }

  /** A message: counted when it is one of the last ones again. */
  addMessage(entry: MessageEntry): void {
    const stop = Math.max(0, this.#entries.length - repeatsWithin);
    for (let index = this.#entries.length - 1; index >= stop; index--) {
      const known = this.#entries[index];
      if (known?.kind !== "sip" || known.text !== entry.text) continue;
      if (known.direction !== entry.direction || known.side !== entry.side) continue;
      known.repeats++;
      known.lastAt = entry.at;
      return;
    }
    this.add(entry);
  }

  add(entry: TraceEntry): void {
    this.#entries.push(entry);
    this.#bytes += sizeOf(entry);
    if (this.#bytes <= this.#limit / 2) this.#headLength = this.#entries.length;
    while (this.#bytes > this.#limit && this.#entries.length > this.#headLength + 1) {
      const [gone] = this.#entries.splice(this.#headLength, 1);
      this.#bytes -= gone ? sizeOf(gone) : 0;
      this.#leftOut++;
    }
  }

  /** One more Call-ID of this call's; returns the one that had to give way to it. */
  addCallId(side: TraceSide, callId: string): string | undefined {
    const own = this.callIds[side];
    // The first is the leg's own; what fills this up is one-time requests to a page.
    const [gone] = own.length < callIdsOfSide ? [] : own.splice(1, 1);
    own.push(callId);
    this.#bytes += callId.length - (gone?.length ?? 0);
    return gone;
  }

  /** Takes over what another ladder has. */
  merge(other: Ladder): void {
    // Stable: of one instant the earlier written comes first.
    const all = [...other.entries, ...this.#entries].sort((one, next) => one.at - next.at);
    this.#bytes -= this.#entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
    this.#entries = [];
    this.#headLength = 0;
    for (const entry of all) this.add(entry);
  }
}

function sizeOf(entry: TraceEntry): number {
  return entryBytes + entry.text.length;
}
