import { mkdirSync } from "node:fs";
import { appendFile, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Lines that wait for the disk; later ones are lost and counted. */
const mostWaiting = 2000;
/** Lines the dashboard shows. */
const mostShown = 200;

/**
 * The bridge's log: JSON lines in a file that is renamed to `NAME.1` when it has `maxBytes`, so that there are never more than
 * twice as many. What the disk does not take is lost, never what the bridge is for.
 */
export class LogFile {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #tail: string[] = [];
  #waiting: string[] = [];
  #writing: Promise<void> | undefined;
  #size: number | undefined;
  /** Lines that found no place. */
  lost = 0;

  constructor(path: string, maxBytes: number) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  }

  /** The last lines, oldest first. */
  get tail(): readonly string[] {
    return this.#tail;
  }

  /** One line with its end, as pino gives it. */
  write(line: string): void {
    this.#tail.push(line.trimEnd());
    if (this.#tail.length > mostShown) this.#tail.shift();
    if (this.#waiting.length >= mostWaiting) {
      this.lost++;
      return;
    }
    this.#waiting.push(line);
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Resolves when all that was said is written, or lost. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      await this.#append(lines.join("")).catch(() => {
        this.lost += lines.length;
        this.#size = undefined;
      });
    }
  }

  async #append(text: string): Promise<void> {
    this.#size ??= (await stat(this.#path).catch(() => undefined))?.size ?? 0;
    if (this.#size > 0 && this.#size + Buffer.byteLength(text) > this.#maxBytes) {
      await rename(this.#path, `${this.#path}.1`);
      this.#size = 0;
    }
    await appendFile(this.#path, text, { mode: 0o600 });
    this.#size += Buffer.byteLength(text);
  }
}
