import type { LegEnd, OfferReply } from "../../b2bua/index.ts";
import type { ClientMessage } from "../contract.ts";
import { isRenewed, transportMarks, type TransportMarks } from "./client-sdp.ts";

type Offer = Extract<ClientMessage, { kind: "offer" | "answer" }>;

/** What re-offers need of their leg. */
export interface ReOfferHost {
  /** One is to be answered now; false: the leg's state does not allow it yet. */
  begin(offer: Offer): boolean;
  /** The one that was being answered is done; false: the leg is over. */
  done(): boolean;
  /** `renewed`: from another PeerConnection. */
  ask(sdp: string, reply: OfferReply, renewed: boolean): void;
  answer(sdp: string): void;
  refuse(end: LegEnd): void;
}

/** OFFERs of the client's within its call: hold, resume, renewal of the session. One is answered at a time. */
export class ReOffers {
  readonly #host: ReOfferHost;
  /** Of the client's description that is in force. */
  #marks: TransportMarks = transportMarks("");
  /** Came while another was being answered, or before its time; the last one counts. */
  #next: Offer | undefined;

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
    this.resume();
  }

  /** The leg's state may allow what it did not. */
  resume(): void {
    const offer = this.#next;
    if (!offer || !this.#host.begin(offer)) return;
    this.#next = undefined;
    const renewed = isRenewed(this.#marks, transportMarks(offer.sdp));
    this.#host.ask(offer.sdp, this.#replyTo(offer), renewed);
  }

  drop(): void {
    this.#next = undefined;
  }

  #replyTo({ sdp }: Offer): OfferReply {
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
      reject: (status, reason = "offer refused") => done(() => this.#host.refuse({ status, reason })),
    };
  }
}
