import type { RoapIds } from "../contract.ts";

interface Described<Kind extends "offer" | "answer"> {
  readonly kind: Kind;
  readonly sdp: string;
  readonly ids: RoapIds;
  readonly peer: string;
}

/** An offer of the gateway's, with the ids that its answer repeats. */
export type OfferMail = Described<"offer">;

/** What waits for a client's next `GET message`. */
export type Mail =
  | OfferMail
  | Described<"answer">
  | { readonly kind: "bye"; readonly peer: string; readonly errorType?: string };

/**
 * What is kept for a client that asks from time to time: of each kind the last alone, in the order of their coming, so
 * that it never holds more than three however seldom it is looked into.
 */
export class Mailbox {
  #mails: Mail[] = [];

  put(mail: Mail): void {
    // A call that is over leaves nothing to be read of it.
    this.#mails = mail.kind === "bye" ? [] : this.#mails.filter(({ kind }) => kind !== mail.kind);
    this.#mails.push(mail);
  }

  take(): Mail | undefined {
    return this.#mails.shift();
  }

  /** It did not get there; nothing it would be behind of came meanwhile. */
  putBack(mail: Mail): void {
    if (!this.#mails.some(({ kind }) => kind === mail.kind || kind === "bye")) this.#mails.unshift(mail);
  }

  drop(which: Mail["kind"]): void {
    this.#mails = this.#mails.filter(({ kind }) => kind !== which);
  }

  clear(): void {
    this.#mails = [];
  }
}
