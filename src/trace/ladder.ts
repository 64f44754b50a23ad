import type { CallFacts, MessageEntry, TraceEntry, TraceSide } from "./contract.ts";

/** What one ladder may take, bytes. */
const ladderBytes = 262_144;
/** What an entry takes beside its text, bytes. */
const entryBytes = 160;
/** How far back a repetition is looked for, entries. */
const repeatsWithin = 16;

/** The entries of one call in memory. Beyond its limit the beginning and the end stay, the middle goes. */
export class Ladder {
  readonly id: string;
  /** When it began, ms since 1970. */
  readonly since: number;
  readonly callIds: Record<TraceSide, string[]> = { browser: [], "sip-server": [] };
  facts: () => CallFacts;
  #entries: TraceEntry[] = [];
  #bytes = entryBytes;
  #headLength = 0;
  #leftOut = 0;

  constructor(id: string, since: number, facts: () => CallFacts) {
    this.id = id;
    this.since = since;
    this.facts = facts;
  }

  get entries(): readonly TraceEntry[] {
    return this.#entries;
  }

  get bytes(): number {
    return this.#bytes;
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
    if (this.#bytes <= ladderBytes / 2) this.#headLength = this.#entries.length;
    while (this.#bytes > ladderBytes && this.#entries.length > this.#headLength + 1) {
      const [gone] = this.#entries.splice(this.#headLength, 1);
      this.#bytes -= gone ? sizeOf(gone) : 0;
      this.#leftOut++;
    }
  }

  /** Takes over what another ladder has. */
  merge(other: Ladder): void {
    // Stable: of one instant the earlier written comes first.
    const all = [...other.entries, ...this.#entries].sort((one, next) => one.at - next.at);
    this.#entries = [];
    this.#bytes = entryBytes;
    this.#headLength = 0;
    for (const entry of all) this.add(entry);
  }
}

function sizeOf(entry: TraceEntry): number {
  return entryBytes + entry.text.length;
}
