import type { AdminApi } from "../api/client.ts";
import type { TraceSummary } from "../api/contract.ts";

export interface PastCalls {
  /** What was looked for. */
  readonly term: string;
  readonly loading: boolean;
  /** Newest first. */
  readonly calls: readonly TraceSummary[];
  readonly error: string | undefined;
}

export const noPastCalls: PastCalls = { term: "", loading: false, calls: [], error: undefined };

/** All that is given to one request must fit, so one is asked for each meaning the term may have. */
const keys = ["dn", "number", "callId", "callUuid"] as const;
/** While somebody types, ms. */
const settleMs = 250;
/** How often the list is asked for anew while it is looked at, ms. */
const againMs = 10_000;

/** Looks for kept calls by what may be a DN, a number, a Call-ID or a CallUUID. */
export class PastCallsSearch {
  readonly #api: AdminApi;
  readonly #onChange: (found: PastCalls) => void;
  #now: PastCalls = noPastCalls;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;

  constructor(api: AdminApi, onChange: (found: PastCalls) => void) {
    this.#api = api;
    this.#onChange = onChange;
  }

  look(term: string, waitMs = settleMs): void {
    this.stop();
    this.#set({ ...this.#now, term, loading: true });
    this.#timer = setTimeout(() => void this.#ask(term.trim()), waitMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#asked++;
  }

  async #ask(term: string): Promise<void> {
    const asked = ++this.#asked;
    const filters = term === "" ? [{}] : keys.map((key) => ({ [key]: term }));
    const answers = await Promise.all(filters.map((filter) => this.#api.traces(filter)));
    if (asked !== this.#asked) return;
    const byId = new Map<string, TraceSummary>();
    for (const answer of answers)
      if (answer.ok) for (const call of answer.value.traces) byId.set(call.id, call);
    const failed = answers.find((answer) => !answer.ok);
    this.#set({
      ...this.#now,
      loading: false,
      calls: [...byId.values()].sort((one, other) => other.since.localeCompare(one.since)),
      error: failed && !failed.ok ? failed.error : undefined,
    });
    if (failed === undefined) this.#timer = setTimeout(() => void this.#ask(term), againMs);
  }

  #set(found: PastCalls): void {
    this.#now = found;
    this.#onChange(found);
  }
}
