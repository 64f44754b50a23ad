/** One thing that happened, as it was told. */
export interface Notice {
  readonly at: Date;
  readonly text: string;
}

export interface NoticesSnapshot {
  /** Newest first. */
  readonly log: readonly Notice[];
  /** What wants attention, empty when nothing does. */
  readonly alert: string;
}

const LONGEST_LOG = 50;

/** What happened, newest first, and the one problem that wants attention. */
export class Notices {
  #snapshot: NoticesSnapshot = { log: [], alert: "" };
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get snapshot(): NoticesSnapshot {
    return this.#snapshot;
  }

  /** @param problem shown above the phone until something better is told or `calm` is called */
  tell(text: string, problem: boolean): void {
    const log = [{ at: new Date(), text }, ...this.#snapshot.log].slice(0, LONGEST_LOG);
    this.#snapshot = { log, alert: problem ? text : "" };
    this.#changed();
  }

  calm(): void {
    this.#snapshot = { ...this.#snapshot, alert: "" };
    this.#changed();
  }
}
