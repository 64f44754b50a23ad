import type { Clock, Logger, Random } from "../core/index.ts";
import { LineBuffer } from "./line-buffer.ts";
import { Retry } from "./retry.ts";

export interface LineWriterOptions {
  /** Writes lines to where they belong, all or none; rejects with the system's error. */
  readonly write: (lines: readonly Buffer[]) => Promise<void>;
  /** In log lines: `file of call records`. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** What waits for the disk at most, bytes: some thousand records. */
const mostWaiting = 8_000_000;
/** Written at once, bytes. */
const chunk = 262_144;
const longestPauseMs = 30_000;

function bytesOf(lines: readonly Buffer[]): number {
  return lines.reduce((sum, { length }) => sum + length, 0);
}

/** Takes lines to the disk in order, one write at a time; while that fails they wait in memory and it is tried again. */
export class LineWriter {
  readonly #options: LineWriterOptions;
  readonly #buffer = new LineBuffer(mostWaiting);
  readonly #retry: Retry;
  /** Those that are being written. */
  #inHand: readonly Buffer[] = [];
  #working: Promise<void> | undefined;
  #closed = false;
  written = 0;
  bytes = 0;
  failed = 0;

  constructor(options: LineWriterOptions) {
    this.#options = options;
    this.#retry = new Retry(options.clock, options.random, longestPauseMs);
  }

  /** Lines that are not on the disk yet, and their bytes. */
  get waiting(): number {
    return this.#buffer.size + this.#inHand.length;
  }

  get waitingBytes(): number {
    return this.#buffer.bytes + bytesOf(this.#inHand);
  }

  get dropped(): number {
    return this.#buffer.dropped;
  }

  add(line: string): void {
    this.#buffer.add(line);
    if (!this.#retry.waits && !this.#closed) this.#work();
  }

  /** Tries once more to write what waits. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry.cancel();
    await this.#working;
    if (this.#buffer.size > 0) await this.#run();
    const lost = this.#buffer.size;
    if (lost > 0) this.#options.log.error({ lost }, `${this.#options.name}: records are lost at the end`);
  }

  #work(): void {
    this.#working ??= this.#run().finally(() => (this.#working = undefined));
  }

  async #run(): Promise<void> {
    const { write, name, log } = this.#options;
    while (this.#buffer.size > 0) {
      const lines = this.#buffer.take(chunk);
      this.#inHand = lines;
      try {
        await write(lines);
      } catch (error) {
        this.#buffer.putBack(lines);
        this.#failed(error);
        return;
      } finally {
        this.#inHand = [];
      }
      this.written += lines.length;
      this.bytes += bytesOf(lines);
      if (this.#retry.failures > 0) log.info({ waiting: this.#buffer.size }, `${name}: written again`);
      this.#retry.reset();
    }
  }

  #failed(error: unknown): void {
    const { name, log } = this.#options;
    this.failed++;
    if (this.#retry.failures === 0)
      log.error(
        { err: error, waiting: this.#buffer.size },
        `${name}: cannot be written; records wait in memory`,
      );
    if (!this.#closed) this.#retry.later(() => this.#work());
  }
}
