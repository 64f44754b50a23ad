import type { Clock, Timer } from "../../core/index.ts";
import type { SipResponse } from "../message/types.ts";
import { T1, T2, T4, transactionTimeout } from "../transaction/timers.ts";
import type { ServerTransaction } from "../transaction/types.ts";

/**
 * RFC 3261 13.3.1.4 gives up after 64*T1 = 32 s. SIP Server holds its ACK back for exactly that long while a 3pcc
 * callee rings (genesys-sip-server.md 7.1), so T4 is added: its late ACK with BYE must still find the dialog.
 */
const ackPatienceMs = transactionTimeout + T4;

/** Repeats a 2xx to an INVITE until its ACK comes, whatever the transport (RFC 3261 13.3.1.4). */
export class PendingAck {
  readonly sequence: number;
  /** The 2xx carries our offer, so that the ACK must bring the answer to it. */
  readonly awaitsAnswer: boolean;
  readonly #clock: Clock;
  readonly #onAck: (body: string) => void;
  #repeat: Timer | undefined;
  #patience: Timer | undefined;

  constructor(
    clock: Clock,
    transaction: ServerTransaction,
    response: SipResponse,
    handlers: { onAck: (body: string) => void; onTimeout: () => void },
  ) {
    this.#clock = clock;
    this.sequence = response.cseq.sequence;
    this.awaitsAnswer = transaction.request.body.length === 0 && response.body.length > 0;
    this.#onAck = handlers.onAck;
    this.#patience = clock.setTimer(ackPatienceMs, () => {
      this.close();
      handlers.onTimeout();
    });
    transaction.respond(response);
    this.#schedule(T1, () => transaction.respond(response));
  }

  #schedule(delayMs: number, send: () => void): void {
    this.#repeat = this.#clock.setTimer(delayMs, () => {
      // The timer is set before sending: a transport that fails within `send` may close us.
      this.#schedule(Math.min(delayMs * 2, T2), send);
      send();
    });
  }

  get waiting(): boolean {
    return this.#patience !== undefined;
  }

  acknowledge(body: string): void {
    if (!this.waiting) return;
    this.close();
    this.#onAck(body);
  }

  close(): void {
    this.#repeat?.clear();
    this.#patience?.clear();
    this.#repeat = undefined;
    this.#patience = undefined;
  }
}
