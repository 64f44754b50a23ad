import { open, readdir, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Logger, Random } from "../../core/index.ts";
import { appendLines } from "../append.ts";
import { LineWriter } from "../line-writer.ts";

export interface DiskQueueOptions {
  /** A folder of its own, absolute; there already. */
  readonly directory: string;
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Something new is on the disk. */
  readonly onMore: () => void;
}

/** The oldest lines of the queue. */
export interface Batch {
  readonly lines: readonly string[];
  /** Where they are from. */
  readonly segment: number;
  readonly bytes: number;
  /** With those that could not be read. */
  readonly count: number;
}

interface Segment {
  readonly number: number;
  bytes: number;
  lines: number;
}

const segmentName = /^queue-(\d{9})\.jsonl$/;
/** Read for each line that is asked for, bytes: more than most records have. */
const usualBytes = 4096;
/** Read at once at most, bytes; no record is as long. */
const mostBytes = 524_288;

/**
 * Lines in files, in order, first in first out: what was added is on the disk before it is handed out, and stays there
 * until it is done with, over restarts and crashes. Files are `queue-000000001.jsonl` and on; `position.json` tells how
 * far they are done. When it is full, the oldest file goes.
 */
export class DiskQueue {
  readonly #options: DiskQueueOptions;
  readonly #writer: LineWriter;
  readonly #segments: Segment[];
  /** How far the first segment is done: bytes, lines. */
  #done: { bytes: number; lines: number };
  #next: number;
  #writing: Segment | undefined;
  #dropped = 0;

  private constructor(
    options: DiskQueueOptions,
    segments: Segment[],
    done: { bytes: number; lines: number },
    next: number,
  ) {
    this.#options = options;
    this.#segments = segments;
    this.#done = done;
    this.#next = next;
    const { clock, random, log } = options;
    this.#writer = new LineWriter({
      write: (lines) => this.#write(lines),
      name: "queue of call records",
      clock,
      random,
      log,
    });
  }

  /** Finds what a former process left. Rejects with the system's error when the folder cannot be read. */
  static async open(options: DiskQueueOptions): Promise<DiskQueue> {
    const { directory } = options;
    const names = (await readdir(directory)).toSorted();
    const numbers = names.flatMap((name) => segmentName.exec(name)?.slice(1).map(Number) ?? []);
    const position = await readPosition(directory);
    let next = Math.max(0, position.segment, ...numbers) + 1;
    if (names.includes("requeue.jsonl")) {
      numbers.push(next);
      await rename(join(directory, "requeue.jsonl"), pathOf(directory, next++));
    }
    const segments: Segment[] = [];
    for (const number of numbers) {
      if (number < position.segment) await unlink(pathOf(directory, number));
      else segments.push({ number, ...(await countLines(pathOf(directory, number))) });
    }
    const [first] = segments;
    const bytes = first?.number === position.segment ? Math.min(position.offset, first.bytes) : 0;
    const lines = first && bytes > 0 ? (await countLines(pathOf(directory, first.number), bytes)).lines : 0;
    return new DiskQueue(options, segments, { bytes, lines }, next);
  }

  /** On the disk and before it, lines. */
  get size(): number {
    const onDisk = this.#segments.reduce((sum, { lines }) => sum + lines, -this.#done.lines);
    return Math.max(0, onDisk) + this.#writer.waiting;
  }

  get bytes(): number {
    const onDisk = this.#segments.reduce((sum, { bytes }) => sum + bytes, -this.#done.bytes);
    return Math.max(0, onDisk) + this.#writer.waitingBytes;
  }

  get dropped(): number {
    return this.#dropped + this.#writer.dropped;
  }

  add(line: string): void {
    this.#writer.add(line);
  }

  /** The oldest lines, `limit` at most, all of one file; undefined: there are none. Those that are no JSON are left out and counted. */
  async oldest(limit: number): Promise<Batch | undefined> {
    for (let head = this.#segments[0]; head; head = this.#segments[0]) {
      const path = pathOf(this.#options.directory, head.number);
      const text =
        (await readLines(path, this.#done.bytes, Math.min(mostBytes, (limit + 3) * usualBytes))) ||
        (await readLines(path, this.#done.bytes, mostBytes));
      if (head !== this.#segments[0]) continue;
      const found = text.split("\n").slice(0, -1).slice(0, limit);
      const lines = found.filter(isJson);
      const bytes = found.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
      if (lines.length > 0) return { lines, segment: head.number, bytes, count: found.length };
      if (found.length > 0) {
        this.#dropped += found.length;
        await this.#advance(head, bytes, found.length);
      } else if (head === this.#writing) return undefined;
      else await this.#takeAway(head);
    }
    return undefined;
  }

  /** These have arrived: they are not handed out again. */
  async done({ segment, bytes, lines, count }: Batch): Promise<void> {
    const [head] = this.#segments;
    // A full queue may have thrown them away meanwhile.
    if (head?.number !== segment) return;
    this.#dropped += count - lines.length;
    await this.#advance(head, bytes, count);
  }

  /** Writes what is in memory; nothing more is added. */
  async close(): Promise<void> {
    await this.#writer.close();
  }

  async #advance(head: Segment, bytes: number, lines: number): Promise<void> {
    this.#done = { bytes: this.#done.bytes + bytes, lines: this.#done.lines + lines };
    await this.#savePosition(head.number, this.#done.bytes);
  }

  async #takeAway(head: Segment): Promise<void> {
    this.#segments.shift();
    this.#done = { bytes: 0, lines: 0 };
    await this.#savePosition(head.number + 1, 0);
    await unlink(pathOf(this.#options.directory, head.number)).catch(() => undefined);
  }

  /** Where it cannot be saved, some lines are handed out twice after a restart; none is lost. */
  async #savePosition(segment: number, offset: number): Promise<void> {
    const name = join(this.#options.directory, "position.json");
    try {
      await writeFile(`${name}.part`, JSON.stringify({ segment, offset }));
      await rename(`${name}.part`, name);
    } catch (error) {
      this.#options.log.debug({ err: error }, "position in the queue of call records not saved");
    }
  }

  async #write(lines: readonly Buffer[]): Promise<void> {
    const { directory, maxBytes, onMore } = this.#options;
    if (!this.#writing || this.#writing.bytes > maxBytes / 16) {
      this.#writing = { number: this.#next++, bytes: 0, lines: 0 };
      this.#segments.push(this.#writing);
    }
    const { number } = this.#writing;
    const size = await appendLines(pathOf(directory, number), lines, 0o600);
    const added = lines.reduce((sum, { length }) => sum + length, 0);
    if (size < this.#writing.bytes + added) this.#writing = this.#beginAnew(this.#writing);
    await this.#makeRoom(maxBytes - added);
    // Counted here at last: until then they count as on their way to the disk.
    this.#writing.bytes = size;
    this.#writing.lines += lines.length;
    onMore();
  }

  /** Somebody has cut the file or taken it away. */
  #beginAnew(segment: Segment): Segment {
    if (segment === this.#segments[0]) this.#done = { bytes: 0, lines: 0 };
    segment.lines = 0;
    return segment;
  }

  async #makeRoom(maxBytes: number): Promise<void> {
    for (let head = this.#segments[0]; head && this.#segments.length > 1; head = this.#segments[0]) {
      const total = this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
      if (total <= maxBytes) return;
      const lost = head.lines - this.#done.lines;
      this.#dropped += lost;
      if (lost > 0)
        this.#options.log.error({ lost }, "queue of call records is full: the oldest are dropped");
      await this.#takeAway(head);
    }
  }
}

function pathOf(directory: string, number: number): string {
  return join(directory, `queue-${String(number).padStart(9, "0")}.jsonl`);
}

async function readPosition(directory: string): Promise<{ segment: number; offset: number }> {
  try {
    const value: unknown = JSON.parse(await readFile(join(directory, "position.json"), "utf8"));
    const [segment, offset]: unknown[] =
      typeof value === "object" && value !== null
        ? [Reflect.get(value, "segment"), Reflect.get(value, "offset")]
        : [];
    if (Number.isSafeInteger(segment) && Number.isSafeInteger(offset))
      return { segment: Number(segment), offset: Number(offset) };
  } catch {
    // None yet, or not whole: everything that is there is handed out.
  }
  return { segment: 0, offset: 0 };
}

/** Whole lines and their bytes, up to `end`. */
async function countLines(path: string, end = Infinity): Promise<{ lines: number; bytes: number }> {
  let [lines, bytes, read] = [0, 0, 0];
  const file = await open(path);
  try {
    for await (const chunk of file.createReadStream({ autoClose: false })) {
      const part: Buffer = Buffer.from(chunk).subarray(0, Math.max(0, end - read));
      for (let at = part.indexOf(0x0a); at >= 0; at = part.indexOf(0x0a, at + 1)) {
        lines++;
        bytes = read + at + 1;
      }
      read += part.length;
    }
  } finally {
    await file.close();
  }
  return { lines, bytes };
}

/** Whole lines from `offset` on, `most` bytes of them; none of a file that is not there. Rejects with other errors. */
async function readLines(path: string, offset: number, most: number): Promise<string> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    // What cannot be opened for a moment (EMFILE) is no empty file, which would be deleted.
    if (error.code !== "ENOENT") throw error;
  });
  if (!file) return "";
  try {
    const { size } = await file.stat();
    const buffer = Buffer.alloc(Math.min(most, Math.max(0, size - offset)));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
    return buffer.subarray(0, buffer.subarray(0, bytesRead).lastIndexOf(0x0a) + 1).toString();
  } finally {
    await file.close();
  }
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
