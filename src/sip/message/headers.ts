import type { HeaderList } from "./types.ts";
import { headerName, type HeaderName } from "./names.ts";
import { splitList } from "./parameters.ts";
import { cleaned, isToken, trimBlanks } from "./text.ts";

/**
 * Header lines in order. What is written through `set`, `add` and `prepend` can never break a line: line ends
 * and stray control characters in a value become spaces, and a name that is no token is a `TypeError`.
 */
export class HeaderFields implements HeaderList {
  #names: HeaderName[] = [];
  #values: string[] = [];
  /** Rises with every change, so that what was derived from the lines knows when it is stale. */
  revision = 0;
  /** How the header section is put into bytes; `latin1` only for text received that was not valid UTF-8. */
  encoding: "utf8" | "latin1" = "utf8";

  constructor(lines: Iterable<readonly [string, string]> = []) {
    for (const [name, value] of lines) this.add(name, value);
  }

  get(name: string): string | undefined {
    const index = this.#find(headerName(name).key);
    return index < 0 ? undefined : this.#values[index];
  }

  getAll(name: string): string[] {
    const { key } = headerName(name);
    return this.#values.filter((_, index) => this.#names[index]?.key === key);
  }

  values(name: string): string[] {
    const lines = this.getAll(name);
    return lines.length === 0 ? lines : lines.flatMap(splitList);
  }

  has(name: string): boolean {
    return this.#find(headerName(name).key) >= 0;
  }

  set(name: string, value: string): this {
    const header = writableName(name);
    const index = this.#find(header.key);
    if (index < 0) return this.#insert(this.#names.length, header, value);
    this.#drop(header.key, index + 1);
    this.#values[index] = cleanValue(value);
    this.revision++;
    return this;
  }

  add(name: string, value: string): this {
    return this.#insert(this.#names.length, writableName(name), value);
  }

  prepend(name: string, value: string): this {
    const header = writableName(name);
    return this.#insert(Math.max(this.#find(header.key), 0), header, value);
  }

  remove(name: string): this {
    this.#drop(headerName(name).key, 0);
    this.revision++;
    return this;
  }

  *entries(): Generator<readonly [name: string, value: string]> {
    for (let index = 0; index < this.#names.length; index++) {
      yield [this.#names[index]?.spelling ?? "", this.#values[index] ?? ""];
    }
  }

  /** The parser's way in: name and value are known to be clean. */
  append(name: HeaderName, value: string): void {
    this.#names.push(name);
    this.#values.push(value);
  }

  #find(key: string): number {
    for (let index = 0; index < this.#names.length; index++) {
      if (this.#names[index]?.key === key) return index;
    }
    return -1;
  }

  #insert(index: number, name: HeaderName, value: string): this {
    this.#names.splice(index, 0, name);
    this.#values.splice(index, 0, cleanValue(value));
    this.revision++;
    return this;
  }

  /** Takes away the lines of `key` from position `from` on. */
  #drop(key: string, from: number): void {
    const keep = this.#names.map((name, index) => index < from || name.key !== key);
    this.#names = this.#names.filter((_, index) => keep[index]);
    this.#values = this.#values.filter((_, index) => keep[index]);
  }
}

function writableName(name: string): HeaderName {
  if (!isToken(name)) throw new TypeError(`not a header name: ${JSON.stringify(name)}`);
  return headerName(name);
}

/** A line end within a value would let whoever supplied it write headers of his own. */
function cleanValue(value: string): string {
  return trimBlanks(cleaned(value));
}
