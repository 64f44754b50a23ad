import { join } from "node:path";
import type { Clock, Logger, Random } from "../../core/index.ts";
import type { RecordCounters } from "../counters.ts";
import { LineBuffer } from "../line-buffer.ts";
import { Retry } from "../retry.ts";
import { DiskQueue } from "./disk-queue.ts";
import { Poster, type Receiver } from "./post.ts";
import { Sender } from "./sender.ts";

export interface WebhookOptions extends Receiver {
  /** A folder of its own, absolute; there already. */
  readonly queueDirectory: string;
  readonly maxQueueBytes: number;
  /** Records in one request at most. */
  readonly batch: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** What waits while the queue cannot be opened, bytes. */
const mostWaiting = 8_000_000;
const longestPauseMs = 30_000;
/** How long what is left is tried at the end, ms. */
const patienceMs = 3000;

/** Call records to a receiver over HTTP(S), through a queue on disk: each arrives once or more, in order. */
export class Webhook {
  readonly #options: WebhookOptions;
  readonly #poster: Poster;
  /** Before the queue is open. */
  readonly #early = new LineBuffer(mostWaiting);
  readonly #retry: Retry;
  #opening: Promise<void>;
  #opened: { readonly queue: DiskQueue; readonly sender: Sender } | undefined;

  constructor(options: WebhookOptions) {
    this.#options = options;
    this.#poster = new Poster(options, options.clock);
    this.#retry = new Retry(options.clock, options.random, longestPauseMs);
    this.#opening = this.#open();
  }

  get counters(): RecordCounters["webhook"] {
    const { queue, sender } = this.#opened ?? {};
    return {
      written: sender?.sent ?? 0,
      failed: sender?.failed ?? 0,
      refused: sender?.refused ?? 0,
      dropped: this.#early.dropped + (queue?.dropped ?? 0),
      queued: this.#early.size + (queue?.size ?? 0),
      bytes: this.#early.bytes + (queue?.bytes ?? 0),
    };
  }

  /** Another secret, other certificates; from the next request on. */
  use(keys: Pick<Receiver, "secret" | "ca">): void {
    this.#poster.use(keys);
  }

  add(line: string): void {
    if (this.#opened) this.#opened.queue.add(line);
    else this.#early.add(line);
  }

  async close(): Promise<void> {
    this.#retry.cancel();
    await this.#opening;
    await this.#opened?.queue.close();
    await this.#opened?.sender.close(patienceMs);
    this.#retry.cancel();
    this.#poster.close();
    const { queued } = this.counters;
    if (queued > 0) this.#options.log.info({ queued }, "call records wait on disk for the next start");
  }

  async #open(): Promise<void> {
    const {
      queueDirectory: directory,
      maxQueueBytes: maxBytes,
      clock,
      random,
      log,
      batch,
      url,
    } = this.#options;
    try {
      const onMore = (): void => this.#opened?.sender.wake();
      const queue = await DiskQueue.open({ directory, maxBytes, clock, random, log, onMore });
      const sender = new Sender({
        queue,
        poster: this.#poster,
        batch,
        deadLetters: join(directory, "dead-letter.jsonl"),
        deadLetterBytes: maxBytes / 2,
        name: new URL(url).origin,
        clock,
        random,
        log,
      });
      this.#opened = { queue, sender };
      for (const line of this.#early.take(Infinity)) queue.add(line.toString().trimEnd());
      sender.wake();
    } catch (error) {
      if (this.#retry.failures === 0)
        log.error({ err: error, directory }, "queue of call records cannot be opened; they wait in memory");
      this.#retry.later(() => {
        this.#opening = this.#open();
      });
    }
  }
}
