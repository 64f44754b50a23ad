import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import type { Clock, Logger, Random, Timer } from "../../core/index.ts";
import type { PlannedSpan } from "./plan.ts";
import { readableSpans, type SpanOrigin } from "./readable-span.ts";

export interface SpanExportOptions {
  /** URL that takes OTLP over HTTP. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  /** 0 to 1. */
  readonly sampleRatio: number;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** What became of calls and spans; they only grow. */
export interface SpanCounters {
  /** Calls left out by the sample ratio. */
  unsampledCalls: number;
  sentSpans: number;
  /** More waited than may, or the receiver did not take them. */
  droppedSpans: number;
}

interface Loaded {
  readonly exporter: SpanExporter;
  readonly origin: SpanOrigin;
}

/** Spans that may wait, and those sent at a time. */
const waitingSpans = 4096;
const batchSpans = 512;
const everyMs = 5000;
/** Attempts within it are the exporter's own. */
const exportPatienceMs = 10_000;
const closePatienceMs = 2000;
/** One line about a receiver that is away in this time, ms. */
const quietMs = 600_000;

/** Hands spans of calls that are over to a receiver, in batches; nothing here is waited for by a call. */
export class SpanExport {
  readonly counters: SpanCounters = { unsampledCalls: 0, sentSpans: 0, droppedSpans: 0 };
  readonly #options: SpanExportOptions;
  readonly #waiting: ReadableSpan[] = [];
  readonly #loading: Promise<Loaded | undefined>;
  #loaded: Loaded | undefined;
  #timer: Timer | undefined;
  #sending: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(options: SpanExportOptions) {
    this.#options = options;
    this.#loading = load(options).catch((error: unknown) => {
      options.log.error({ err: error }, "OpenTelemetry could not be loaded: no spans are sent");
      return undefined;
    });
    void this.#loading.then((loaded) => (this.#loaded = loaded));
  }

  /** Whether a call is told of; asked once for each, before its span is made. */
  sample(): boolean {
    const taken = this.#options.random.fraction() < this.#options.sampleRatio;
    if (!taken) this.counters.unsampledCalls++;
    return taken;
  }

  /** A call's span with all below it. Never throws. */
  add(span: PlannedSpan): void {
    const { random } = this.#options;
    if (!this.#loaded || this.#closing) {
      this.counters.droppedSpans++;
      return;
    }
    for (const one of readableSpans(span, this.#loaded.origin, random)) {
      if (this.#waiting.length < waitingSpans) this.#waiting.push(one);
      else this.counters.droppedSpans++;
    }
    if (this.#waiting.length >= batchSpans) this.#send();
    else this.#timer ??= this.#options.clock.setTimer(everyMs, () => this.#send());
  }

  /** Resolves when the packages are loaded: spans before that are dropped and counted. */
  async ready(): Promise<void> {
    await this.#loading;
  }

  /** Idempotent. What waits has 2 s to be taken. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const patience = this.#options.clock.setTimer(closePatienceMs, late.resolve);
    await Promise.race([this.#flush(), late.promise]);
    patience.clear();
    this.#timer?.clear();
    this.counters.droppedSpans += this.#waiting.splice(0).length;
    // It waits for what is under way, as long as it takes.
    void this.#loaded?.exporter.shutdown().catch(() => {});
  }

  async #flush(): Promise<void> {
    await this.#loading;
    await this.#sending;
    while (this.#waiting.length > 0) {
      this.#send();
      await this.#sending;
    }
  }

  /** One batch at a time; the next one follows it. */
  #send(): void {
    this.#timer?.clear();
    this.#timer = undefined;
    if (this.#sending || !this.#loaded || this.#waiting.length === 0) return;
    const batch = this.#waiting.splice(0, batchSpans);
    this.#sending = exported(this.#loaded.exporter, batch).then((error) => {
      this.#sending = undefined;
      if (error === undefined) this.counters.sentSpans += batch.length;
      else this.#failed(error, batch.length);
      if (this.#waiting.length > 0 && !this.#closing)
        this.#timer ??= this.#options.clock.setTimer(this.#waiting.length >= batchSpans ? 0 : everyMs, () =>
          this.#send(),
        );
    });
  }

  #failed(error: string, spans: number): void {
    this.counters.droppedSpans += spans;
    const { clock, log, endpoint } = this.#options;
    if (clock.now() - this.#toldAt < quietMs) return;
    this.#toldAt = clock.now();
    const { origin } = new URL(endpoint);
    log.warn({ receiver: origin, cause: error, ...this.counters }, "OpenTelemetry receiver takes no spans");
  }
}

/** ExportResultCode.SUCCESS; the package is loaded only when it is needed. */
const success = 0;

/** Undefined when they were taken, else why not. Never rejects. */
function exported(exporter: SpanExporter, batch: ReadableSpan[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    try {
      exporter.export(batch, ({ code, error }: { code: number; error?: Error }) =>
        resolve(code === success ? undefined : (error?.message ?? "no reason")),
      );
    } catch (error) {
      resolve(error instanceof Error ? error.message : "no reason");
    }
  });
}

/** The packages weigh some megabytes: who does not ask for spans never loads them. */
async function load({ endpoint, headers, serviceName, version }: SpanExportOptions): Promise<Loaded> {
  const [{ OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import("@opentelemetry/exporter-trace-otlp-http"),
    import("@opentelemetry/resources"),
  ]);
  return {
    exporter: new OTLPTraceExporter({
      url: endpoint,
      headers: { ...headers },
      timeoutMillis: exportPatienceMs,
    }),
    origin: {
      resource: resourceFromAttributes({ "service.name": serviceName, "service.version": version }),
      version,
    },
  };
}
