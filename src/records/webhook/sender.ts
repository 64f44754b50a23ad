import { rename, stat } from "node:fs/promises";
import type { Clock, Logger, Random } from "../../core/index.ts";
import { appendLines } from "../append.ts";
import { Retry } from "../retry.ts";
import type { Batch, DiskQueue } from "./disk-queue.ts";
import type { Outcome, Poster } from "./post.ts";

export interface SenderOptions {
  readonly queue: DiskQueue;
  readonly poster: Pick<Poster, "post">;
  /** Records in one request at most. */
  readonly batch: number;
  /** File for what the receiver refuses for good, absolute. */
  readonly deadLetters: string;
  /** Size from which that file is begun anew; the one before is kept. */
  readonly deadLetterBytes: number;
  /** Of the receiver, for log lines: without path and query, which may hold a key. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

const longestPauseMs = 300_000;
/** However long the receiver asks to wait. */
const longestWishMs = 600_000;
/** So often a record by itself is refused (4xx) before it is put aside; about two minutes. */
const refusalTries = 8;

/** Takes the queue to the receiver, oldest first, one request at a time, and tries again for as long as it takes. */
export class Sender {
  readonly #options: SenderOptions;
  readonly #retry: Retry;
  /** Records in the next request: halved when one of them may be to blame for a refusal. */
  #limit: number;
  #refusals = 0;
  #working = false;
  #more = false;
  #closed = false;
  #onIdle: (() => void) | undefined;
  sent = 0;
  failed = 0;
  refused = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#limit = options.batch;
    this.#retry = new Retry(options.clock, options.random, longestPauseMs);
  }

  /** There may be something to send. */
  wake(): void {
    this.#more = true;
    if (this.#working || this.#closed || this.#retry.waits) return;
    this.#working = true;
    void this.#run().finally(() => {
      this.#working = false;
      if (this.#more && !this.#closed && !this.#retry.waits) this.wake();
      else this.#onIdle?.();
    });
  }

  /** Tries what is left once more, for `patienceMs`; the rest stays in the queue. */
  async close(patienceMs: number): Promise<void> {
    this.#retry.cancel();
    if (!this.#closed) {
      const idle = new Promise<void>((resolve) => (this.#onIdle = resolve));
      const timer = this.#options.clock.setTimer(patienceMs, () => this.#onIdle?.());
      this.wake();
      await idle;
      timer.clear();
    }
    this.#closed = true;
    this.#retry.cancel();
  }

  async #run(): Promise<void> {
    const { queue, log } = this.#options;
    try {
      while (!this.#closed) {
        this.#more = false;
        const batch = await queue.oldest(this.#limit);
        if (!batch) return;
        if (!(await this.#send(batch))) return;
      }
    } catch (error) {
      log.error({ err: error }, "queue of call records cannot be read; trying on");
      this.#retry.later(() => this.wake());
    }
  }

  /** True: the next may go at once. */
  async #send(batch: Batch): Promise<boolean> {
    const { queue, poster, batch: most } = this.#options;
    const outcome = await poster.post(`{"records":[${batch.lines.join(",")}]}`);
    if (outcome.status !== undefined && outcome.status >= 200 && outcome.status < 300) {
      this.sent += batch.lines.length;
      await queue.done(batch);
      this.#tellSuccess();
      this.#limit = Math.min(most, this.#limit * 2);
      return true;
    }
    this.failed++;
    const { status } = outcome;
    const refused = status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429;
    if (refused && batch.lines.length > 1) {
      this.#limit = Math.ceil(batch.lines.length / 2);
      return true;
    }
    if (refused && ++this.#refusals >= refusalTries) return await this.#putAside(batch, status);
    this.#tellFailure(outcome);
    if (!this.#closed) this.#retry.later(() => this.wake(), wishOf(outcome));
    return false;
  }

  /** One that is refused again and again must not keep the others. */
  async #putAside(batch: Batch, status: number): Promise<boolean> {
    const { queue, deadLetters, deadLetterBytes, log } = this.#options;
    const before = await stat(deadLetters).catch(() => undefined);
    if (before && before.size > deadLetterBytes) await rename(deadLetters, `${deadLetters}.old`);
    await appendLines(
      deadLetters,
      batch.lines.map((line) => Buffer.from(`${line}\n`)),
      0o600,
    );
    this.refused += batch.lines.length;
    await queue.done(batch);
    this.#refusals = 0;
    this.#retry.reset();
    log.error({ status, file: deadLetters }, "a call record is refused by the webhook and was put aside");
    return true;
  }

  #tellSuccess(): void {
    const { log, name, queue } = this.#options;
    if (this.#retry.failures > 0)
      log.info({ url: name, waiting: queue.size }, "webhook takes call records again");
    this.#retry.reset();
    this.#refusals = 0;
  }

  #tellFailure(outcome: Outcome): void {
    const { log, name, queue } = this.#options;
    if (this.#retry.failures > 0) return;
    const why = outcome.status === undefined ? { err: outcome.error } : { status: outcome.status };
    log.warn(
      { url: name, ...why, waiting: queue.size },
      "webhook does not take call records: they wait on disk",
    );
  }
}

function wishOf(outcome: Outcome): number {
  return outcome.status === undefined ? 0 : Math.min(longestWishMs, outcome.retryAfterMs);
}
