import type { Clock, Timer } from "../../core/index.ts";

/** EVENT-HOLD or EVENT-TALK (wrtc-http-protocol.md 1.4). */
export type AskedEvent = "hold" | "talk";

export interface AskedEventsHost {
  readonly clock: Clock;
  /** An OFFER of the client's waits for its ANSWER. */
  readonly answering: () => boolean;
  readonly send: (event: AskedEvent) => void;
}

/** A client that holds already makes no OFFER of EVENT-HOLD; one that makes any has done so by then, ms. */
const offerMs = 3000;

/**
 * What a client is asked to do within its call: it does so by an OFFER, and takes no other event until that has its ANSWER.
 * Of those that come meanwhile the last counts.
 */
export class AskedEvents {
  readonly #host: AskedEventsHost;
  #out: { readonly event: AskedEvent; readonly patience: Timer } | undefined;
  #next: AskedEvent | undefined;

  constructor(host: AskedEventsHost) {
    this.#host = host;
  }

  ask(event: AskedEvent): void {
    this.#next = this.#out?.event === event ? undefined : event;
    this.#resume();
  }

  /** The client has the ANSWER to its OFFER. */
  answered(): void {
    this.close();
    this.#resume();
  }

  /** Forgets what is out. */
  close(): void {
    this.#out?.patience.clear();
    this.#out = undefined;
  }

  #resume(): void {
    const { clock, answering, send } = this.#host;
    const event = this.#next;
    if (event === undefined || this.#out || answering()) return;
    this.#next = undefined;
    this.#out = { event, patience: clock.setTimer(offerMs, () => this.answered()) };
    send(event);
  }
}
