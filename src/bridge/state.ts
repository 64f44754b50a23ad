import { TypedEvents, type Clock, type Logger } from "../core/index.ts";
import type { CertificateView } from "./contract.ts";
import type { LinkView } from "./gateway/link.ts";
import type { WindowView } from "./window/app-window.ts";

/** Something that happened, for who looks at the dashboard. */
export interface BridgeEvent {
  /** ISO 8601. */
  readonly at: string;
  readonly what: string;
}

/** What the dashboard shows; no secret in it. */
export interface BridgeView {
  readonly version: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly gateway: LinkView;
  /** Undefined: nobody has told yet. */
  readonly inService: boolean | undefined;
  readonly pageConnected: boolean | undefined;
  readonly window: WindowView;
  /** Undefined: not looked at yet. */
  readonly certificate: CertificateView | undefined;
  readonly wwe: {
    readonly origin: string | undefined;
    /** ISO 8601. */
    readonly lastSeenAt: string | undefined;
    readonly lastRequest: string | undefined;
  };
  /** Newest first, 100 at most. */
  readonly events: readonly BridgeEvent[];
}

const mostEvents = 100;

/** How the bridge stands now; whoever looks is told of each change. */
export class BridgeState {
  readonly changes: TypedEvents<{ change: [] }>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #seen = new Set<string>();
  #view: BridgeView;

  constructor(clock: Clock, log: Logger, begin: Pick<BridgeView, "version" | "gateway" | "window">) {
    this.#clock = clock;
    this.#log = log;
    this.changes = new TypedEvents(log);
    this.#view = {
      ...begin,
      startedAt: this.#now(),
      inService: undefined,
      pageConnected: undefined,
      certificate: undefined,
      wwe: { origin: undefined, lastSeenAt: undefined, lastRequest: undefined },
      events: [],
    };
  }

  get view(): BridgeView {
    return this.#view;
  }

  change(change: Partial<Omit<BridgeView, "events">>): void {
    this.#view = { ...this.#view, ...change };
    this.changes.emit("change");
  }

  /** Notes what happened, in the log too. */
  tell(what: string): void {
    this.#log.info({}, what);
    const events = [{ at: this.#now(), what }, ...this.#view.events].slice(0, mostEvents);
    this.#view = { ...this.#view, events };
    this.changes.emit("change");
  }

  /** A request of WWE's went through. */
  sawWwe(origin: string, lastRequest: string): void {
    if (!this.#seen.has(origin) && this.#seen.size < mostEvents) {
      this.#seen.add(origin);
      this.tell(`WWE at ${origin} asks`);
    }
    this.change({ wwe: { origin, lastSeenAt: this.#now(), lastRequest } });
  }

  #now(): string {
    return new Date(this.#clock.wallClock()).toISOString();
  }
}
