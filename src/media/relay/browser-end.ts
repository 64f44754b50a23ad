import type { Logger } from "../../core/index.ts";
import { Counters } from "../counters.ts";
import type { OpenTransport, RelayTransport, RelayTransportHandlers } from "./transport.ts";

/** The browser's end of a session: its transport, which a page that takes the call over gets a new one of. */
export class BrowserEnd {
  transport: RelayTransport;
  readonly #open: () => RelayTransport;
  readonly #log: Logger;
  /** Dropped by transports that are no more. */
  readonly #formerly = new Counters();

  constructor(openTransport: OpenTransport, log: Logger, handlers: RelayTransportHandlers) {
    this.#open = () => openTransport(handlers);
    this.#log = log;
    this.transport = this.#open();
  }

  /** Dropped so far, by cause. */
  get dropped(): Readonly<Record<string, number>> {
    return this.#formerly.with(this.transport.dropped);
  }

  /** A new transport in the place of the one that is, which is freed. False, and nothing changed: there is no room. */
  renew(): boolean {
    const former = this.transport;
    try {
      this.transport = this.#open();
    } catch (error) {
      this.#log.warn({ err: error }, "browser transport not renewed");
      return false;
    }
    this.transport.tap = former.tap;
    for (const [cause, count] of Object.entries(former.dropped)) this.#formerly.add(cause, count);
    former.close();
    return true;
  }
}
