import type { Clock, Timer } from "../../core/index.ts";
import { paramOf, sentByPort, type Peer } from "./address.ts";
import { patienceMs, t1Ms, t2Ms } from "./client-transaction.ts";
import { mandatory, writeMessage, type Header, type SipMessage } from "./text.ts";

/** What a response adds to what it copies from its request. */
export interface ResponseParts {
  readonly status: number;
  readonly reason: string;
  /** Our To-tag, added where the request's To has none. */
  readonly toTag?: string;
  readonly extra?: readonly Header[];
  readonly contentType?: string;
  readonly body?: string | undefined;
}

/**
 * RFC 3261 17.2 over UDP: takes repeated requests for itself and answers them again. Final answers to INVITE
 * are repeated at 0.5, 1, 2, 4, 4 ... s until ACKed: failures by RFC 3261 timer G, 2xx by 13.3.1.4.
 */
export class ServerTransaction {
  readonly request: SipMessage;
  readonly #peer: Peer;
  readonly #clock: Clock;
  readonly #send: (text: string, peer: Peer) => void;
  readonly #gone: () => void;
  /** Address the request came from. */
  readonly #received: string;
  #last: string | undefined;
  #status = 0;
  #retransmission: Timer | undefined;
  #patience: Timer | undefined;
  /** Told once when a final answer to an INVITE was never ACKed within 64 * T1. */
  onUnacknowledged: (() => void) | undefined;

  constructor(
    request: SipMessage,
    from: Peer,
    deps: { clock: Clock; send: (text: string, peer: Peer) => void; gone: () => void },
  ) {
    this.request = request;
    // Replies go to the Via's sent-by port of the address it came from (site-environment 4).
    this.#peer = { host: from.host, port: sentByPort(mandatory(request, "Via")) ?? from.port };
    this.#clock = deps.clock;
    this.#send = deps.send;
    this.#gone = deps.gone;
    this.#received = from.host;
  }

  /** Status of the last response, 0 before the first. */
  get status(): number {
    return this.#status;
  }

  get answered(): boolean {
    return this.#status >= 200;
  }

  respond(parts: ResponseParts): void {
    if (this.answered) return;
    this.#status = parts.status;
    this.#last = this.#text(parts);
    this.#send(this.#last, this.#peer);
    if (parts.status < 200) return;
    if (this.request.method === "INVITE") this.#repeatUntilAcknowledged(t1Ms);
    this.#patience = this.#clock.setTimer(patienceMs, () => this.#expire());
  }

  /** The request came once more. */
  repeated(): void {
    if (this.#last) this.#send(this.#last, this.#peer);
  }

  /** The ACK of our final answer came. */
  acknowledged(): void {
    this.#retransmission?.clear();
    this.onUnacknowledged = undefined;
  }

  /** Ends it without a word; idempotent. */
  terminate(): void {
    this.#retransmission?.clear();
    this.#patience?.clear();
    this.onUnacknowledged = undefined;
    this.#gone();
  }

  #repeatUntilAcknowledged(gapMs: number): void {
    this.#retransmission = this.#clock.setTimer(gapMs, () => {
      this.repeated();
      this.#repeatUntilAcknowledged(Math.min(gapMs * 2, t2Ms));
    });
  }

  #expire(): void {
    const unacknowledged = this.onUnacknowledged;
    this.terminate();
    unacknowledged?.();
  }

  #text(parts: ResponseParts): string {
    const to = mandatory(this.request, "To");
    const tagged = parts.toTag === undefined || paramOf(to, "tag") !== undefined;
    return writeMessage({
      startLine: `SIP/2.0 ${parts.status} ${parts.reason}`,
      from: mandatory(this.request, "From"),
      to: tagged ? to : `${to};tag=${parts.toTag}`,
      callId: mandatory(this.request, "Call-ID"),
      cseq: mandatory(this.request, "CSeq"),
      vias: this.#vias(),
      ...(parts.extra ? { extra: parts.extra } : {}),
      contentType: parts.contentType,
      body: parts.body,
    });
  }

  /** All Vias copied; the topmost keeps `;rport` without a value and gets `;received` (site-environment 4). */
  #vias(): string[] {
    const vias = this.request.headers
      .filter(([name]) => name.toLowerCase() === "via")
      .map(([, value]) => value);
    const [top = "", ...rest] = vias;
    return [`${top};received=${this.#received}`, ...rest];
  }
}
