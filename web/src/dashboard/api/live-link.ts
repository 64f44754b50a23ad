import type { Change, Snapshot } from "./contract.ts";

/** As much of an `EventSource` as is used. */
export interface EventStream {
  addEventListener(name: string, listener: (event: { readonly data?: unknown }) => void): void;
  close(): void;
}

/** `retryAt`: wall clock, ms since 1970. */
export type LinkState =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  | { readonly kind: "lost"; readonly retryAt: number };

export interface LiveLinkOptions {
  readonly open: () => EventStream;
  readonly onSnapshot: (snapshot: Snapshot) => void;
  readonly onChange: (change: Change) => void;
  readonly onState: (state: LinkState) => void;
  /** Asked before each new try, since an event stream does not tell a 401. False ends the tries. */
  readonly mayRetry: () => Promise<boolean>;
}

/** Pauses between tries, ms; the last one counts on. */
const pauses = [1_000, 2_000, 5_000, 10_000];
/** A sample comes each 10 s, so a stream that is silent for this long is dead, ms. */
const silenceMs = 35_000;

/** Keeps the stream of events open. */
export class LiveLink {
  readonly #options: LiveLinkOptions;
  #stream: EventStream | undefined;
  /** Of the silence while a stream is open, of the next try while none is. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tries = 0;

  constructor(options: LiveLinkOptions) {
    this.#options = options;
  }

  start(): void {
    this.stop();
    this.#options.onState({ kind: "connecting" });
    const stream = this.#options.open();
    this.#stream = stream;
    this.#watch();
    stream.addEventListener("snapshot", ({ data }) => {
      const snapshot = this.#parsed(data);
      if (snapshot === undefined) return;
      this.#tries = 0;
      this.#options.onState({ kind: "live" });
      this.#options.onSnapshot(snapshot as Snapshot);
    });
    stream.addEventListener("change", ({ data }) => {
      const change = this.#parsed(data);
      if (change !== undefined) this.#options.onChange(change as Change);
    });
    stream.addEventListener("error", () => {
      if (this.#stream === stream) this.#lost();
    });
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#stream?.close();
    this.#stream = undefined;
  }

  #parsed(data: unknown): unknown {
    this.#watch();
    try {
      return JSON.parse(String(data));
    } catch {
      // Cut off on its way: the next snapshot has it all again.
      this.#lost();
      return undefined;
    }
  }

  #watch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lost(), silenceMs);
  }

  #lost(): void {
    this.stop();
    const pause = pauses[Math.min(this.#tries++, pauses.length - 1)] ?? 1_000;
    this.#options.onState({ kind: "lost", retryAt: Date.now() + pause });
    this.#timer = setTimeout(() => void this.#retry(), pause);
  }

  async #retry(): Promise<void> {
    const timer = this.#timer;
    const may = await this.#options.mayRetry();
    // Stopped or started anew meanwhile.
    if (may && timer === this.#timer) this.start();
  }
}
