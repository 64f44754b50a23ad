import type { Clock, Timer } from "../../core/index.ts";
import type { LegEnd, OfferReply } from "../../b2bua/index.ts";
import type { ClientMessage } from "../contract.ts";
import { isRenewed, transportMarks, type TransportMarks } from "./client-sdp.ts";

type Offer = Extract<ClientMessage, { kind: "offer" | "answer" }>;

/** What re-offers need of their leg. */
export interface ReOfferHost {
  readonly clock: Clock;
  /** One is to be answered now; false: the leg's state does not allow it yet. */
  begin(offer: Offer): boolean;
  /** The one that was being answered is done; false: the leg is over. */
  done(): boolean;
  /** One is being answered. */
  readonly answering: () => boolean;
  /** `renewed`: from another PeerConnection. */
  ask(sdp: string, reply: OfferReply, renewed: boolean): void;
  answer(sdp: string): void;
  /** The client waits for an ANSWER that does not come. */
  refuse(end: LegEnd): void;
}

/** One that cannot be answered just now (5xx) is tried again: a client waits 18 s at least for its ANSWER (section 0). */
const retryMs = 2000;
const maximumRetries = 5;

/** OFFERs of the client's within its call: hold, resume, renewal of the session. One is answered at a time. */
export class ReOffers {
  readonly #host: ReOfferHost;
  /** Of the client's description that is in force. */
  #marks: TransportMarks = transportMarks("");
  /** Came while another was being answered, or before its time; the last one counts. */
  #next: Offer | undefined;
  #retry: Timer | undefined;

  constructor(host: ReOfferHost) {
    this.#host = host;
  }

  /** A description of the client's is in force. */
  agreed(sdp: string): void {
    this.#marks = transportMarks(sdp);
  }

  get marks(): TransportMarks {
    return this.#marks;
  }

  put(offer: Offer): void {
    this.#next = offer;
    if (this.#retry) {
      this.#stopRetry();
      this.#host.done();
    }
    this.resume();
  }

  /** The leg's state may allow what it did not. */
  resume(): void {
    const offer = this.#next;
    if (!offer || !this.#host.begin(offer)) return;
    this.#next = undefined;
    this.#ask(offer, 0);
  }

  drop(): void {
    this.#next = undefined;
    this.#stopRetry();
  }

  #stopRetry(): void {
    this.#retry?.clear();
    this.#retry = undefined;
  }

  #ask(offer: Offer, retries: number): void {
    const renewed = isRenewed(this.#marks, transportMarks(offer.sdp));
    this.#host.ask(offer.sdp, this.#replyTo(offer, retries), renewed);
  }

  /** False: it is not tried again. */
  #askAgain(offer: Offer, status: number, retries: number): boolean {
    const { clock, answering } = this.#host;
    if (status < 500 || status > 599 || retries >= maximumRetries || this.#next || !answering()) return false;
    this.#retry = clock.setTimer(retryMs, () => {
      this.#retry = undefined;
      this.#ask(offer, retries + 1);
    });
    return true;
  }

  #replyTo(offer: Offer, retries: number): OfferReply {
    const { sdp } = offer;
    const done = (reply: () => void): void => {
      if (!this.#host.done()) return;
      // The client does not look at what an ANSWER answers: while it has a newer OFFER out it gets that one's alone.
      if (!this.#next) reply();
      this.resume();
    };
    return {
      accept: (answer) => {
        this.agreed(sdp);
        done(() => this.#host.answer(answer ?? ""));
      },
      reject: (status, reason = "offer refused") => {
        if (!this.#askAgain(offer, status, retries)) done(() => this.#host.refuse({ status, reason }));
      },
    };
  }
}
