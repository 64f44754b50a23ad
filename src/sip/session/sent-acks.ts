import type { Dialog, HeaderPair } from "../dialog/index.ts";
import type { SipRequest } from "../message/types.ts";

/** More INVITEs than these have no 2xx on its way any more. */
const maximumKept = 4;

/** Our ACKs for the 2xx to our INVITEs, kept for the repeats of the 2xx (RFC 3261 13.2.2.4). */
export class SentAcks {
  readonly #send: (ack: SipRequest) => void;
  readonly #acks = new Map<number, SipRequest>();
  /** Authorization of our last INVITE that needed one; its ACK carries the same (RFC 3261 22.1). */
  #credentials: readonly HeaderPair[] = [];

  constructor(send: (ack: SipRequest) => void) {
    this.#send = send;
  }

  /** Our INVITE goes out as `request`, the first time or again with credentials. */
  noteInvite(request: SipRequest): void {
    this.#credentials = ["Authorization", "Proxy-Authorization"].flatMap((name) =>
      request.headers.getAll(name).map((value): HeaderPair => [name, value]),
    );
  }

  /** Sends and keeps the ACK for the 2xx of INVITE `sequence`. */
  acknowledge(dialog: Dialog, sequence: number, sdp?: string): void {
    const type: HeaderPair[] = sdp === undefined ? [] : [["Content-Type", "application/sdp"]];
    const ack = dialog.createAck(sequence, [...this.#credentials, ...type], sdp);
    this.#acks.set(sequence, ack);
    if (this.#acks.size > maximumKept) this.#acks.delete(Math.min(...this.#acks.keys()));
    this.#send(ack);
  }

  /** False when INVITE `sequence` was not acknowledged before. */
  repeat(sequence: number): boolean {
    const ack = this.#acks.get(sequence);
    if (ack) this.#send(ack);
    return ack !== undefined;
  }

  repeatLast(): void {
    const last = [...this.#acks.values()].at(-1);
    if (last) this.#send(last);
  }
}
