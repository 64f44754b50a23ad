import { list, parseJson, record } from "../../shared/json.ts";
import type { CallSnapshot } from "./call-snapshot.ts";
import type { PhoneEvent } from "./phone-event.ts";

export type Outcome =
  "answered" | "elsewhere" | "missed" | "rejected" | "cancelled" | "failed" | "transferred";

/** A call that is over. */
export interface PastCall {
  readonly id: string;
  readonly direction: "in" | "out";
  /** What calling it again dials. */
  readonly number: string;
  readonly peer: string;
  /** When it began, ms since the epoch. */
  readonly at: number;
  /** Talked for, ms; 0 without an answer. */
  readonly lastedMs: number;
  readonly outcome: Outcome;
  /** What there is to say beside that: why it failed, where it was transferred to. */
  readonly remark: string;
}

const KEY = "jackfield.history";
const LONGEST = 50;
const OUTCOMES: readonly string[] = [
  "answered",
  "elsewhere",
  "missed",
  "rejected",
  "cancelled",
  "failed",
  "transferred",
] satisfies Outcome[];

type Over = Extract<PhoneEvent, { kind: "ended" | "failed" }>;

function outcomeOf(event: Over): Outcome {
  const { call } = event;
  if (call.since !== undefined) return handedOver(call) ? "transferred" : "answered";
  if (event.kind === "failed") return call.direction === "in" ? "missed" : "failed";
  if (call.direction === "out") return event.by === "local" ? "cancelled" : "failed";
  if (event.elsewhere) return "elsewhere";
  return event.by === "local" ? "rejected" : "missed";
}

function handedOver({ transfer }: CallSnapshot): boolean {
  return transfer !== undefined && transfer.state !== "refused";
}

/** How the call that this event is the end of is remembered. @param now ms since the epoch */
export function pastCall(event: Over, now: number): PastCall {
  const { callId, direction, number, peer, began, since, transfer } = event.call;
  const outcome = outcomeOf(event);
  return {
    id: callId,
    direction,
    number,
    peer,
    at: began,
    lastedMs: since === undefined ? 0 : Math.max(0, now - since),
    outcome,
    remark: outcome === "transferred" ? (transfer?.to ?? "") : (event.reason ?? ""),
  };
}

/** The calls of this tab since its number signed in, newest first; at most 50, in no other place than the tab's own storage. */
export class CallHistory {
  readonly #storage: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  #dn: string | undefined;
  #calls: readonly PastCall[] = [];

  constructor(storage: Pick<Storage, "getItem" | "setItem" | "removeItem">) {
    this.#storage = storage;
  }

  get calls(): readonly PastCall[] {
    return this.#calls;
  }

  /** What is remembered of this number in this tab; another number's calls are forgotten. */
  of(dn: string): void {
    if (dn === this.#dn) return;
    this.#dn = dn;
    this.#calls = kept(this.#storage.getItem(KEY), dn);
    this.#keep();
  }

  add(call: PastCall): void {
    this.#calls = [call, ...this.#calls].slice(0, LONGEST);
    this.#keep();
  }

  clear(): void {
    this.#calls = [];
    this.#keep();
  }

  #keep(): void {
    if (this.#calls.length === 0) this.#storage.removeItem(KEY);
    else this.#storage.setItem(KEY, JSON.stringify({ dn: this.#dn, calls: this.#calls }));
  }
}

function kept(text: string | null, dn: string): readonly PastCall[] {
  const stored = record(parseJson(text ?? ""));
  return stored["dn"] === dn ? list(stored["calls"]).filter(isPastCall).slice(0, LONGEST) : [];
}

function isPastCall(value: unknown): value is PastCall {
  const past = record(value);
  const is = (name: string, type: string): boolean => typeof past[name] === type;
  return (
    ["id", "number", "peer", "remark"].every((name) => is(name, "string")) &&
    ["at", "lastedMs"].every((name) => is(name, "number")) &&
    ["in", "out"].includes(String(past["direction"])) &&
    OUTCOMES.includes(String(past["outcome"]))
  );
}

const WORDS: Readonly<Record<Outcome, string>> = {
  answered: "",
  elsewhere: "answered by another phone",
  missed: "missed",
  rejected: "rejected",
  cancelled: "not answered",
  failed: "not reached",
  transferred: "transferred",
};

/** How it ended, for a person; empty where it just ended. */
export function outcomeText({ outcome, remark }: Pick<PastCall, "outcome" | "remark">): string {
  if (outcome === "transferred" && remark !== "") return `transferred to ${remark}`;
  return [WORDS[outcome], remark].filter((part) => part !== "").join(": ");
}
