import type { Clock } from "../core/index.ts";
import type { Flow, MessageObserver, SipMessage, SipRequest } from "../sip/index.ts";
import type {
  CallFacts,
  CallTrace,
  CallTracer,
  MessageEntry,
  NoteKind,
  Trace,
  TraceFilter,
  TraceLimits,
  TraceSide,
  TraceSummary,
} from "./contract.ts";
import { Ladder } from "./ladder.ts";

/** INVITEs kept that never became calls. */
const refusedKept = 100;
/** What one of them may take, bytes: anybody who gets a connection may write it, and must not push calls out. */
const refusedBytes = 32_768;
/** Longest message kept whole, bytes. */
const messageBytes = 16_384;

/**
 * The ladders of the last calls. A message belongs to the call whose leg has registered its Call-ID; an INVITE that
 * opens a dialog, or a REFER by which SIP Server asks for a call, is kept from its arrival on, so that what was refused at once has a ladder too.
 */
export class TraceStore implements CallTracer, MessageObserver {
  readonly #clock: Clock;
  readonly #limits: TraceLimits;
  readonly #running = new Map<string, Ladder>();
  /** In the order in which they ended. */
  readonly #ended = new Map<string, Ladder>();
  /** INVITEs that no call has claimed. */
  readonly #unclaimed = new Map<string, Ladder>();
  readonly #byCallId: Readonly<Record<TraceSide, Map<string, Ladder>>> = {
    browser: new Map(),
    "sip-server": new Map(),
  };
  #bytes = 0;
  #refused = 0;

  constructor(clock: Clock, limits: TraceLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Ladders kept, and the memory they are taken to use. */
  get usage(): { readonly ladders: number; readonly callIds: number; readonly bytes: number } {
    return {
      ladders: this.#running.size + this.#ended.size + this.#unclaimed.size,
      callIds: this.#byCallId.browser.size + this.#byCallId["sip-server"].size,
      bytes: this.#bytes,
    };
  }

  begin(id: string, facts: () => CallFacts): CallTrace {
    const ladder = new Ladder(id, this.#clock.wallClock(), facts);
    this.#running.set(id, ladder);
    this.#bytes += ladder.bytes;
    this.#makeRoom();
    return {
      dialog: (side, callId) => this.#claim(ladder, side, callId),
      note: (kind, text, side) => this.#note(ladder, kind, text, side),
      quality: (ways) => this.#change(ladder, () => ladder.addQuality({ at: this.#clock.now(), ways })),
      counters: (counters) => this.#change(ladder, () => ladder.setCounters(counters)),
      digits: (digits) => (this.#limits.showDigits ? digits : "•".repeat(digits.length)),
      ended: () => this.#end(ladder),
    };
  }

  received(message: SipMessage, bytes: Buffer, flow: Flow): void {
    const side = sideOf(flow);
    const known = this.#byCallId[side].get(message.callId);
    const begins = (method: string): boolean =>
      method === "INVITE" || (method === "REFER" && side === "sip-server");
    const opens = message.kind === "request" && begins(message.method) && message.to.tag === undefined;
    const ladder = known ?? (opens ? this.#openUnclaimed(message, side) : undefined);
    if (ladder) this.#message(ladder, side, "in", bytes);
  }

  sent(callId: string, bytes: Buffer, flow: Flow): void {
    const side = sideOf(flow);
    const ladder = this.#byCallId[side].get(callId);
    if (ladder) this.#message(ladder, side, "out", bytes);
  }

  givenUp(callId: string, method: string, reason: string): void {
    for (const side of ["browser", "sip-server"] as const) {
      const ladder = this.#byCallId[side].get(callId);
      if (ladder) this.#note(ladder, "event", `${method} given up: ${reason}`, side);
    }
  }

  /** Newest first. */
  list(filter: TraceFilter): TraceSummary[] {
    const all = [...this.#unclaimed.values(), ...this.#ended.values(), ...this.#running.values()];
    return all
      .map(summaryOf)
      .filter((summary) => fits(summary, filter))
      .sort((one, other) => other.since.localeCompare(one.since));
  }

  find(id: string): Trace | undefined {
    const ladder = this.#running.get(id) ?? this.#ended.get(id) ?? this.#unclaimed.get(id);
    if (!ladder) return undefined;
    const { entries, leftOut, quality, counters } = ladder;
    return { ...summaryOf(ladder), entries, leftOut, quality, counters, showDigits: this.#limits.showDigits };
  }

  #message(ladder: Ladder, side: TraceSide, direction: MessageEntry["direction"], bytes: Buffer): void {
    const at = this.#clock.now();
    // One character per byte: compact, and what is no UTF-8 survives until it is shown.
    const text = bytes.toString("latin1", 0, Math.min(bytes.length, messageBytes));
    const cutOff = bytes.length - text.length;
    this.#change(ladder, () =>
      ladder.addMessage({ kind: "sip", at, side, direction, text, cutOff, repeats: 0, lastAt: at }),
    );
  }

  #note(ladder: Ladder, kind: NoteKind, text: string, side: TraceSide | undefined): void {
    const at = this.#clock.now();
    this.#change(ladder, () => ladder.add({ kind, at, side, text: text.slice(0, 1024) }));
  }

  /** Keeps the sum right over a change of one ladder. */
  #change(ladder: Ladder, change: () => void): void {
    // A call goes on writing after its ladder was thrown away.
    if (!this.#kept(ladder)) return;
    const before = ladder.bytes;
    change();
    this.#bytes += ladder.bytes - before;
    if (this.#bytes > this.#limits.bytes) this.#makeRoom();
  }

  #kept({ id }: Ladder): boolean {
    return this.#running.has(id) || this.#ended.has(id) || this.#unclaimed.has(id);
  }

  #openUnclaimed(invite: SipRequest, side: TraceSide): Ladder {
    const from = invite.from.uri.user;
    const to = invite.uri.user ?? invite.to.uri.user;
    const ladder = new Ladder(
      `refused-${++this.#refused}`,
      this.#clock.wallClock(),
      () => factsOfUnclaimed(ladder, from, to, side),
      refusedBytes,
    );
    this.#unclaimed.set(ladder.id, ladder);
    this.#bytes += ladder.bytes;
    this.#register(ladder, side, invite.callId);
    if (this.#unclaimed.size > Math.min(refusedKept, this.#limits.calls))
      this.#drop(this.#unclaimed, this.#unclaimed.values().next().value);
    return ladder;
  }

  #claim(ladder: Ladder, side: TraceSide, callId: string): void {
    if (!this.#kept(ladder) || callId === "") return;
    const early = this.#byCallId[side].get(callId);
    if (early === ladder) return;
    if (early && this.#unclaimed.has(early.id)) {
      this.#change(ladder, () => ladder.merge(early));
      this.#drop(this.#unclaimed, early);
    }
    this.#register(ladder, side, callId);
  }

  #register(ladder: Ladder, side: TraceSide, callId: string): void {
    this.#change(ladder, () => {
      const gone = ladder.addCallId(side, callId);
      if (gone !== undefined && this.#byCallId[side].get(gone) === ladder) this.#byCallId[side].delete(gone);
      this.#byCallId[side].set(callId, ladder);
    });
  }

  #end(ladder: Ladder): void {
    // What the call was is kept, the call itself is not.
    const facts = ladder.facts();
    ladder.facts = () => facts;
    if (!this.#running.delete(ladder.id)) return;
    this.#ended.set(ladder.id, ladder);
  }

  /** The longest ended goes first, then (for memory only) what never was a call, then the longest running. */
  #makeRoom(): void {
    const { calls, bytes } = this.#limits;
    while (this.#running.size + this.#ended.size > calls) this.#dropFirst(this.#ended, this.#running);
    while (this.#bytes > bytes) if (!this.#dropFirst(this.#ended, this.#unclaimed, this.#running)) return;
  }

  #dropFirst(...rooms: readonly Map<string, Ladder>[]): boolean {
    const room = rooms.find(({ size }) => size > 0);
    if (room) this.#drop(room, room.values().next().value);
    return room !== undefined;
  }

  #drop(room: Map<string, Ladder>, ladder: Ladder | undefined): void {
    if (!ladder || !room.delete(ladder.id)) return;
    this.#bytes -= ladder.bytes;
    for (const side of ["browser", "sip-server"] as const)
      for (const callId of ladder.callIds[side])
        if (this.#byCallId[side].get(callId) === ladder) this.#byCallId[side].delete(callId);
  }
}

function sideOf(flow: Flow): TraceSide {
  return flow.side === "browser" ? "browser" : "sip-server";
}

function summaryOf(ladder: Ladder): TraceSummary {
  const { id, since, callIds } = ladder;
  return { id, facts: ladder.facts(), since: new Date(since).toISOString(), callIds };
}

function fits({ facts, callIds }: TraceSummary, { dn, number, callId, callUuid }: TraceFilter): boolean {
  if (dn !== undefined && facts.dn !== dn) return false;
  if (number !== undefined && !facts.farNumber.includes(number)) return false;
  if (callUuid !== undefined && facts.callUuid !== callUuid) return false;
  return callId === undefined || [...callIds.browser, ...callIds["sip-server"]].includes(callId);
}

function factsOfUnclaimed(
  ladder: Ladder,
  from: string | undefined,
  to: string | undefined,
  side: TraceSide,
): CallFacts {
  const [dn = "", farNumber = ""] = side === "browser" ? [from, to] : [to, from];
  const answer = ladder.entries.findLast((entry) => entry.kind === "sip" && entry.direction === "out");
  const [, status, reason] = /^SIP\/2\.0 (\d{3}) ?([^\r\n]*)/.exec(answer?.text ?? "") ?? [];
  return {
    dn,
    direction: side === "browser" ? "from-agent" : "to-agent",
    farNumber,
    callUuid: undefined,
    state: "refused",
    ...(status === undefined ? {} : { status: Number(status), reason }),
  };
}
