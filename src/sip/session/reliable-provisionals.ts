import type { Clock, Random, Timer } from "../../core/index.ts";
import type { SipRequest, SipResponse } from "../message/types.ts";
import { T1, transactionTimeout } from "../transaction/timers.ts";

/** Makes a response to be sent reliably, when its turn has come, with the RSeq it must carry. */
export type ReliableProvisional = (rseq: number) => SipResponse;

/** As many wait behind an unacknowledged one; of progress only the latest is news. */
const maximumWaiting = 8;

/**
 * Our reliable provisional responses to one INVITE (RFC 3262 3): one at a time, repeated with doubling intervals from
 * T1 until its PRACK, given up after 64*T1.
 */
export class ReliableProvisionals {
  readonly #clock: Clock;
  readonly #inviteSequence: number;
  readonly #transmit: (response: SipResponse) => void;
  readonly #onTimeout: () => void;
  readonly #waiting: ReliableProvisional[] = [];
  #rseq: number;
  #unacknowledged: { readonly rseq: number; readonly described: boolean } | undefined;
  #repeat: Timer | undefined;
  #patience: Timer | undefined;
  #stopped = false;

  constructor(parts: {
    clock: Clock;
    random: Random;
    inviteSequence: number;
    transmit: (response: SipResponse) => void;
    onTimeout: () => void;
  }) {
    this.#clock = parts.clock;
    this.#inviteSequence = parts.inviteSequence;
    this.#transmit = parts.transmit;
    this.#onTimeout = parts.onTimeout;
    // RFC 3262 3: uniform in 1 to 2^31 - 1; half of that leaves room for those that follow.
    this.#rseq = parts.random.bytes(4).readUInt32BE(0) % 2 ** 30;
  }

  send(provisional: ReliableProvisional): void {
    if (this.#stopped) return;
    if (!this.#unacknowledged) return this.#start(provisional);
    if (this.#waiting.length < maximumWaiting) this.#waiting.push(provisional);
  }

  /** A 2xx must wait: a description is on its way and not acknowledged (RFC 3262 3). */
  get holdsAnswer(): boolean {
    return this.#unacknowledged?.described === true;
  }

  /** Takes a PRACK; false when it matches nothing unacknowledged, so that it gets 481. */
  acknowledge(prack: SipRequest): boolean {
    const [, rseq, sequence, method] =
      /^\s*(\d+)\s+(\d+)\s+(\S+)\s*$/.exec(prack.headers.get("RAck") ?? "") ?? [];
    const matches =
      method === "INVITE" &&
      Number(sequence) === this.#inviteSequence &&
      Number(rseq) === this.#unacknowledged?.rseq;
    if (!matches) return false;
    this.#unacknowledged = undefined;
    this.#clear();
    return true;
  }

  /** Sends what waited for the PRACK. */
  sendNext(): void {
    if (this.#stopped || this.#unacknowledged) return;
    const next = this.#waiting.shift();
    if (next) this.#start(next);
  }

  /** A final response goes out: nothing is repeated any more, a PRACK still finds what it is for (RFC 3262 3). */
  stop(): void {
    this.#stopped = true;
    this.#waiting.length = 0;
    this.#clear();
  }

  #start(make: ReliableProvisional): void {
    const response = make(++this.#rseq);
    this.#unacknowledged = { rseq: this.#rseq, described: response.body.length > 0 };
    this.#patience = this.#clock.setTimer(transactionTimeout, () => {
      this.#clear();
      this.#onTimeout();
    });
    this.#schedule(T1, response);
    this.#transmit(response);
  }

  #schedule(delayMs: number, response: SipResponse): void {
    this.#repeat = this.#clock.setTimer(delayMs, () => {
      this.#schedule(delayMs * 2, response);
      this.#transmit(response);
    });
  }

  #clear(): void {
    this.#repeat?.clear();
    this.#patience?.clear();
  }
}
