import { createReadStream, createWriteStream } from "node:fs";
import { readdir, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Clock, Logger, Random } from "../core/index.ts";
import { appendLines } from "./append.ts";
import type { RecordCounters } from "./counters.ts";
import { LineWriter } from "./line-writer.ts";

export interface RecordFileOptions {
  /** Absolute. */
  readonly path: string;
  /** Size from which a new one is begun. */
  readonly maxBytes: number;
  /** Former files that stay. */
  readonly keep: number;
  /** A new one each day, too (local time). */
  readonly daily: boolean;
  /** Former files by gzip. */
  readonly compress: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/**
 * Call records as JSON lines, written as they come. Former files are named by the time they ended:
 * `calls-20261121T210530123Z.jsonl.gz` beside `calls.jsonl`.
 */
export class RecordFile {
  readonly #options: RecordFileOptions;
  readonly #writer: LineWriter;
  #compressing: Promise<void> | undefined;

  constructor(options: RecordFileOptions) {
    this.#options = options;
    const { clock, random, log } = options;
    this.#writer = new LineWriter({
      write: (lines) => this.#write(lines),
      name: "file of call records",
      clock,
      random,
      log,
    });
  }

  get counters(): RecordCounters["file"] {
    const { written, failed, dropped, waiting: queued, bytes } = this.#writer;
    return { written, failed, dropped, queued, bytes };
  }

  add(line: string): void {
    this.#writer.add(line);
  }

  async close(): Promise<void> {
    await this.#writer.close();
    await this.#compressing;
  }

  async #write(lines: readonly Buffer[]): Promise<void> {
    const { path, maxBytes, daily, clock } = this.#options;
    const bytes = lines.reduce((sum, { length }) => sum + length, 0);
    const now = await stat(path).catch(() => undefined);
    const full = now !== undefined && now.size > 0 && now.size + bytes > maxBytes;
    const today = new Date(clock.wallClock()).toDateString();
    if (full || (daily && now && now.size > 0 && now.mtime.toDateString() !== today)) await this.#rotate();
    // Who collects logs may be of the gateway's group.
    await appendLines(path, lines, 0o640);
  }

  async #rotate(): Promise<void> {
    const { path, clock, compress, log } = this.#options;
    const ended = new Date(clock.wallClock()).toISOString().replaceAll(/[-:.]/g, "");
    const kind = extname(path);
    const former = `${path.slice(0, path.length - kind.length)}-${ended}${kind}`;
    await rename(path, await freeName(former, kind));
    const after = this.#compressing ?? Promise.resolve();
    // The next file is begun meanwhile.
    this.#compressing = after
      .then(() => this.#tidy(compress))
      .catch((error: unknown) => log.warn({ err: error }, "former files of call records are not tidied up"));
  }

  /** Compresses former files that are not, and takes those away that are too many. */
  async #tidy(compress: boolean): Promise<void> {
    const { path, keep } = this.#options;
    const directory = dirname(path);
    const kind = extname(path);
    const stem = basename(path, kind);
    const isFormer = (name: string): boolean =>
      name.startsWith(`${stem}-`) &&
      /^-\d{8}T\d{9}Z(?:-\d+)?$/.test(name.slice(stem.length).split(".", 1)[0] ?? "");
    const names = (await readdir(directory)).filter(isFormer).toSorted();
    const partial = names.filter((name) => name.endsWith(".part"));
    for (const name of partial) await unlink(join(directory, name));
    const former = names.filter((name) => !partial.includes(name));
    for (const name of former.slice(0, Math.max(0, former.length - keep)))
      await unlink(join(directory, name));
    if (!compress) return;
    for (const name of former.slice(-keep)) if (name.endsWith(kind)) await gzip(join(directory, name));
  }
}

async function freeName(wanted: string, kind: string): Promise<string> {
  let name = wanted;
  for (let index = 1; await exists(name); index++)
    name = `${wanted.slice(0, wanted.length - kind.length)}-${index}${kind}`;
  return name;
}

async function exists(name: string): Promise<boolean> {
  const found = await Promise.all([name, `${name}.gz`].map((one) => stat(one).catch(() => undefined)));
  return found.some((one) => one !== undefined);
}

async function gzip(name: string): Promise<void> {
  const part = `${name}.gz.part`;
  await pipeline(createReadStream(name), createGzip(), createWriteStream(part, { mode: 0o640 }));
  await rename(part, `${name}.gz`);
  await unlink(name);
}
