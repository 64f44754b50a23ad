import type { Clock, Logger, Timer } from "../../core/index.ts";
import type { CertificateView } from "../contract.ts";

export interface CertificateWatchOptions {
  /** Runs programs of the operating system's. */
  readonly view: () => Promise<CertificateView>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Somebody looks. */
  readonly often: () => boolean;
  readonly onView: (view: CertificateView) => void;
}

const lookMs = 30_000;

/** Looks at the certificate and the trust in it: at the start, and now and then while somebody looks at the dashboard. */
export class CertificateWatch {
  readonly #options: CertificateWatchOptions;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: CertificateWatchOptions) {
    this.#options = options;
  }

  begin(): void {
    void this.look().finally(() => this.#next());
  }

  async look(): Promise<void> {
    const { view, log, onView } = this.#options;
    try {
      const seen = await view();
      if (!this.#closed) onView(seen);
    } catch (error) {
      log.warn({ err: error }, "the certificate cannot be looked at");
    }
  }

  close(): void {
    this.#closed = true;
    this.#timer?.clear();
  }

  #next(): void {
    if (this.#closed) return;
    this.#timer = this.#options.clock.setTimer(lookMs, () =>
      this.#options.often() ? this.begin() : this.#next(),
    );
  }
}
