/** The last entries of something, numbered so that what is new since a moment can be asked for. */
export class Recent<Entry> {
  readonly #limit: number;
  readonly #entries: { readonly number: number; readonly entry: Entry }[] = [];
  #last = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Number of the newest entry; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** Oldest first. */
  get entries(): Entry[] {
    return this.#entries.map(({ entry }) => entry);
  }

  /** Those that came after the one of that number and are still kept, oldest first. */
  since(number: number): Entry[] {
    return this.#entries.flatMap((one) => (one.number > number ? [one.entry] : []));
  }

  /** Those up to the one of that number, oldest first. */
  until(number: number): Entry[] {
    return this.#entries.flatMap((one) => (one.number <= number ? [one.entry] : []));
  }

  /** `givesWay` chooses by place who goes when there are too many; the oldest unless told otherwise. */
  add(entry: Entry, givesWay: (entries: readonly Entry[]) => number = () => 0): void {
    this.#entries.push({ number: ++this.#last, entry });
    if (this.#entries.length > this.#limit) this.#entries.splice(givesWay(this.entries), 1);
  }
}
