import { allowedPhrase, reasonPhrase } from "../message/index.ts";
import type { HeaderPair } from "../dialog/index.ts";
import type { InDialogHandlers } from "./in-dialog-request.ts";

/** Sends one NOTIFY within the dialog that the REFER came by. */
export type SendNotify = (headers: readonly HeaderPair[], body: string, handlers: InDialogHandlers) => void;

/** How long a subscription by REFER lasts, seconds: as long as a ringing call may take (RFC 3261 16.6 timer C). */
export const referLifetimeSeconds = 185;

interface Fragment {
  readonly status: number;
  readonly reason: string;
}

/**
 * Tells the sender of a REFER how its call goes: NOTIFY `Event: refer` with message/sipfrag (RFC 3515 2.4). Over UDP
 * one NOTIFY at a time, since it may swap two; of what waits meanwhile only the latest is told. Over a connection none
 * waits: the last word would be lost with a dialog that ends meanwhile.
 */
export class ReferNotifier {
  readonly #send: SendNotify | undefined;
  readonly #event: string;
  readonly #inOrder: boolean;
  #sending = false;
  #waiting: Fragment | undefined;
  #last = 0;
  #over = false;

  /**
   * `event`: Event value, with the id where there is one. No `send`: the sender wants to hear nothing (RFC 4488).
   * `inOrder`: the transport swaps no messages.
   */
  constructor(event: string, send: SendNotify | undefined, inOrder: boolean) {
    this.#event = event;
    this.#inOrder = inOrder;
    this.#send = send;
  }

  /** True once a final status was told, or nobody wants to hear one. */
  get over(): boolean {
    return this.#over;
  }

  /** Tells a status; 200 and above ends the subscription, and nothing is told after it. */
  notify(status: number, reason = reasonPhrase(status)): void {
    if (this.#over || status === this.#last) return;
    this.#last = status;
    this.#over = status >= 200;
    this.#waiting = { status, reason: allowedPhrase(reason.replaceAll(/[^\x20-\x7e]/g, " ")) };
    this.#next();
  }

  #next(): void {
    const fragment = this.#waiting;
    if (!this.#send || !fragment || (this.#sending && !this.#inOrder)) return;
    this.#waiting = undefined;
    this.#sending = true;
    const { status, reason } = fragment;
    const state = status >= 200 ? "terminated;reason=noresource" : `active;expires=${referLifetimeSeconds}`;
    const headers: HeaderPair[] = [
      ["Event", this.#event],
      ["Subscription-State", state],
      ["Content-Type", "message/sipfrag;version=2.0"],
    ];
    this.#send(headers, `SIP/2.0 ${status} ${reason}\r\n`, {
      onResponse: (response) => {
        if (response.status >= 200) this.#sent(response.status < 300);
      },
      onFailure: () => this.#sent(false),
    });
  }

  /** A refusal ends the subscription (RFC 6665 4.2.2). */
  #sent(taken: boolean): void {
    this.#sending = false;
    if (!taken) {
      this.#over = true;
      this.#waiting = undefined;
    }
    this.#next();
  }
}
