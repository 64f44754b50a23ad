/** A change of a state, as it was noted. `at`: ms since the epoch. */
export interface Change {
  readonly at: number;
  readonly what: string;
  readonly state: string;
}

/** What support asks about a call. */
export interface CallNote {
  readonly callId: string;
  readonly callUuid: string | undefined;
  readonly direction: "in" | "out";
  readonly peer: string;
  readonly from: number;
  readonly answeredAt: number | undefined;
  readonly endedAt: number | undefined;
  /** `still runs`, `ended by the far side`, `failed: 486 Busy.` */
  readonly end: string;
  /** How it sounded, one line per gateway's notice, the last ones. */
  readonly quality: readonly string[];
}

export interface ErrorNote {
  readonly at: number;
  readonly text: string;
}

const MOST_CHANGES = 100;
const MOST_CALLS = 10;
const MOST_QUALITY = 36;
const MOST_ERRORS = 30;
const LONGEST = 400;

/** What happened in this page, for who has to find out why: bounded, and forgotten with the page. */
export class Journal {
  readonly #now: () => number;
  readonly #states = new Map<string, string>();
  #changes: readonly Change[] = [];
  #calls: readonly CallNote[] = [];
  #errors: readonly ErrorNote[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  get changes(): readonly Change[] {
    return this.#changes;
  }

  /** Oldest first. */
  get calls(): readonly CallNote[] {
    return this.#calls;
  }

  get errors(): readonly ErrorNote[] {
    return this.#errors;
  }

  /** Notes a state that is another one than before. */
  state(what: string, state: string): void {
    if (this.#states.get(what) === state) return;
    this.#states.set(what, state);
    this.#changes = [...this.#changes, { at: this.#now(), what, state }].slice(-MOST_CHANGES);
  }

  /** Notes what is new of a call; one that was not known begins. */
  call(callId: string, news: Partial<Omit<CallNote, "callId" | "from" | "quality">>): void {
    const known = this.#calls.find((one) => one.callId === callId);
    const begun: CallNote = known ?? {
      callId,
      callUuid: undefined,
      direction: "in",
      peer: "",
      from: this.#now(),
      answeredAt: undefined,
      endedAt: undefined,
      end: "still runs",
      quality: [],
    };
    this.#put({ ...begun, ...news });
  }

  quality(callId: string, words: string): void {
    const known = this.#calls.find((one) => one.callId === callId);
    if (known) this.#put({ ...known, quality: [...known.quality, words].slice(-MOST_QUALITY) });
  }

  error(text: string): void {
    this.#errors = [...this.#errors, { at: this.#now(), text: text.slice(0, LONGEST) }].slice(-MOST_ERRORS);
  }

  #put(note: CallNote): void {
    const at = this.#calls.findIndex(({ callId }) => callId === note.callId);
    this.#calls = (at < 0 ? [...this.#calls, note] : this.#calls.with(at, note)).slice(-MOST_CALLS);
  }
}
