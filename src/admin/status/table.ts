/** What a table was given last differs in this from what it had before. */
export interface TableChange {
  /** JSON of the entries that are new or differ, and the ids of those that are gone. */
  readonly changed: readonly string[];
  readonly gone: readonly string[];
}

/** Entries by id as JSON: what has changed is found by comparing texts, and each is made once however many read it. */
export class Table<Entry extends { readonly id: string }> {
  #texts: ReadonlyMap<string, string> = new Map();

  update(entries: readonly Entry[]): TableChange {
    const former = this.#texts;
    const texts = new Map<string, string>();
    const changed: string[] = [];
    for (const entry of entries) {
      const text = JSON.stringify(entry);
      texts.set(entry.id, text);
      if (former.get(entry.id) !== text) changed.push(text);
    }
    const gone = Array.from(former.keys()).filter((id) => !texts.has(id));
    this.#texts = texts;
    return { changed, gone };
  }

  /** JSON array of all. */
  get text(): string {
    return `[${Array.from(this.#texts.values()).join(",")}]`;
  }
}

/** One value as JSON. */
export class Cell {
  text = "null";

  /** The JSON when it differs from before. */
  update(value: object): string | undefined {
    const text = JSON.stringify(value);
    if (text === this.text) return undefined;
    this.text = text;
    return text;
  }
}
