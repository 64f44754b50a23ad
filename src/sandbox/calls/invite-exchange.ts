import type { ClientTransaction, OutgoingRequest } from "../wire/client-transaction.ts";
import type { Header, SipMessage } from "../wire/text.ts";
import type { Transactions } from "../wire/transactions.ts";
import type { Dialog } from "./dialog.ts";

export interface InviteListener {
  provisional?(response: SipMessage): void;
  /** 2xx; `acknowledge` must follow, now or later. */
  success(response: SipMessage): void;
  failure(status: number, reason: string): void;
}

/** One INVITE of ours with its ACK, which may be held back as long as the far end rings (3pcc make call). */
export class InviteExchange {
  readonly #dialog: Dialog;
  readonly #transactions: Transactions;
  readonly #invite: OutgoingRequest;
  readonly #transaction: ClientTransaction;
  #ack: OutgoingRequest | undefined;
  #cancelWanted: readonly Header[] | undefined;
  #cancelled = false;
  #succeeded = false;

  constructor(dialog: Dialog, transactions: Transactions, invite: OutgoingRequest, listener: InviteListener) {
    this.#dialog = dialog;
    this.#transactions = transactions;
    this.#invite = invite;
    this.#transaction = transactions.start(invite, dialog.target, {
      provisional: (response) => {
        if (this.#cancelWanted) this.#sendCancel();
        listener.provisional?.(response);
      },
      final: (response) => {
        if (response.status >= 300) return listener.failure(response.status, response.reason);
        this.#succeeded = true;
        listener.success(response);
      },
      repeatedSuccess: () => {
        if (this.#ack) transactions.sendAck(this.#ack, dialog.target);
      },
      timeout: () => listener.failure(408, "Request Timeout"),
    });
  }

  /** Whether the 2xx is there and its ACK is not. */
  get unacknowledged(): boolean {
    return this.#succeeded && !this.#ack;
  }

  /** Sends the ACK once; repeated 2xx are answered by the same one. */
  acknowledge(sdp: string | undefined): void {
    if (!this.unacknowledged) return;
    this.#ack = this.#dialog.ack(this.#invite, sdp);
    this.#transactions.sendAck(this.#ack, this.#dialog.target);
  }

  /** CANCEL, at once or as soon as a provisional response allows it (RFC 3261 9.1); idempotent. */
  cancel(extra: readonly Header[]): void {
    this.#cancelWanted = extra;
    if (this.#transaction.proceeding) this.#sendCancel();
  }

  #sendCancel(): void {
    if (this.#cancelled || this.#transaction.finished) return;
    this.#cancelled = true;
    const cancel = this.#dialog.cancel(this.#invite, this.#cancelWanted ?? []);
    this.#transactions.start(cancel, this.#dialog.target, { final() {}, timeout() {} });
  }
}
