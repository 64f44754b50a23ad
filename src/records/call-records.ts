import type { CallRecord } from "../b2bua/index.ts";
import type { Clock, Logger, Random } from "../core/index.ts";
import type { RecordCounters } from "./counters.ts";
import { publicRecord } from "./public-record.ts";
import { RecordFile, type RecordFileOptions } from "./record-file.ts";
import { Webhook, type WebhookOptions } from "./webhook/webhook.ts";

type Shared = { readonly clock: Clock; readonly random: Random; readonly log: Logger };

export interface CallRecordsOptions extends Shared {
  /** Of the other party's number its last digits alone. */
  readonly hideNumbers: boolean;
  readonly file?: Omit<RecordFileOptions, keyof Shared> | undefined;
  readonly webhook?: Omit<WebhookOptions, keyof Shared> | undefined;
}

const noFile: RecordCounters["file"] = { written: 0, failed: 0, dropped: 0, queued: 0, bytes: 0 };
const noWebhook: RecordCounters["webhook"] = { ...noFile, refused: 0 };

/** Where call records go: a file, a webhook, or both. Taking one returns at once and never throws. */
export class CallRecords {
  readonly #options: CallRecordsOptions;
  readonly #file: RecordFile | undefined;
  readonly #webhook: Webhook | undefined;

  constructor(options: CallRecordsOptions) {
    this.#options = options;
    const { clock, random, log, file, webhook } = options;
    this.#file = file && new RecordFile({ ...file, clock, random, log });
    this.#webhook = webhook && new Webhook({ ...webhook, clock, random, log });
  }

  /** As they are now; those of what is not configured are 0. */
  get counters(): RecordCounters {
    return { file: this.#file?.counters ?? noFile, webhook: this.#webhook?.counters ?? noWebhook };
  }

  /** Another secret and other certificates for the webhook; from its next request on. */
  useWebhookKeys(keys: Pick<WebhookOptions, "secret" | "ca">): void {
    this.#webhook?.use(keys);
  }

  add(record: CallRecord): void {
    const line = JSON.stringify(publicRecord(record, this.#options));
    this.#file?.add(line);
    this.#webhook?.add(line);
  }

  /** Writes and sends what waits, for a few seconds; what cannot be sent stays on disk. Idempotent. */
  async close(): Promise<void> {
    await Promise.all([this.#file?.close(), this.#webhook?.close()]);
  }
}
