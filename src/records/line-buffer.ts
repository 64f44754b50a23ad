/** Lines that wait in memory for the disk: bounded, the oldest go first. */
export class LineBuffer {
  readonly #mostBytes: number;
  #lines: Buffer[] = [];
  #bytes = 0;
  /** Lines that did not fit. */
  dropped = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  get size(): number {
    return this.#lines.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `line` without its end. */
  add(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    this.#lines.push(bytes);
    this.#bytes += bytes.length;
    this.#makeRoom();
  }

  /** Takes lines out, `mostBytes` of them but at least one; none: there is none. */
  take(mostBytes: number): Buffer[] {
    let count = 0;
    let bytes = 0;
    for (const line of this.#lines) {
      if (count > 0 && bytes + line.length > mostBytes) break;
      count++;
      bytes += line.length;
    }
    this.#bytes -= bytes;
    return this.#lines.splice(0, count);
  }

  /** Puts lines that could not be written back before the others. */
  putBack(lines: readonly Buffer[]): void {
    this.#lines = [...lines, ...this.#lines];
    this.#bytes += lines.reduce((sum, { length }) => sum + length, 0);
    this.#makeRoom();
  }

  #makeRoom(): void {
    while (this.#bytes > this.#mostBytes) {
      this.#bytes -= this.#lines.shift()?.length ?? this.#bytes;
      this.dropped++;
    }
  }
}
