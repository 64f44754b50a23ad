import type { Clock, Timer } from "../../core/index.ts";
import type { Peer } from "./address.ts";
import { cseqNumber, mandatory, writeMessage, type Header, type SipMessage } from "./text.ts";

/** RFC 3261 17.1.1.1: estimate of the round trip, and the longest gap between non-INVITE retransmissions. */
export const t1Ms = 500;
export const t2Ms = 4000;
/** 64 * T1: how long a request waits for its answer and a finished transaction for stragglers. */
export const patienceMs = 64 * t1Ms;

/** A request we send; kept whole because its CANCEL and ACK repeat parts of it. */
export interface OutgoingRequest {
  readonly method: string;
  readonly uri: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly cseq: number;
  readonly via: string;
  readonly branch: string;
  readonly extra: readonly Header[];
  readonly contentType?: string | undefined;
  readonly body?: string | undefined;
}

/** What the user of a client transaction hears. */
export interface ResponseHandler {
  provisional?(response: SipMessage): void;
  /** Once, with the first final response. */
  final(response: SipMessage): void;
  /** The peer repeats its 2xx to an INVITE: it has not got our ACK. */
  repeatedSuccess?(response: SipMessage): void;
  /** No final response within 64 * T1 (for an INVITE: not even a provisional one). Not called after `final`. */
  timeout(): void;
}

export function requestText(request: OutgoingRequest): string {
  return writeMessage({
    startLine: `${request.method} ${request.uri} SIP/2.0`,
    from: request.from,
    to: request.to,
    callId: request.callId,
    cseq: `${request.cseq} ${request.method}`,
    vias: [request.via],
    extra: request.extra,
    contentType: request.contentType,
    body: request.body,
  });
}

/** RFC 3261 17.1 over UDP: repeats at 0.5, 1, 2, 4 ... s until answered, takes repeated answers for itself. */
export class ClientTransaction {
  readonly request: OutgoingRequest;
  readonly #peer: Peer;
  readonly #clock: Clock;
  readonly #send: (text: string, peer: Peer) => void;
  readonly #handler: ResponseHandler;
  readonly #gone: () => void;
  #state: "calling" | "proceeding" | "completed" | "terminated" = "calling";
  #retransmission: Timer | undefined;
  #patience: Timer;
  #failureAck: string | undefined;

  constructor(
    request: OutgoingRequest,
    peer: Peer,
    deps: {
      clock: Clock;
      send: (text: string, peer: Peer) => void;
      handler: ResponseHandler;
      gone: () => void;
    },
  ) {
    this.request = request;
    this.#peer = peer;
    this.#clock = deps.clock;
    this.#send = deps.send;
    this.#handler = deps.handler;
    this.#gone = deps.gone;
    this.#patience = this.#clock.setTimer(patienceMs, () => this.#expire());
    this.#transmit(t1Ms);
  }

  /** Whether a provisional response came, so that a CANCEL may be sent (RFC 3261 9.1). */
  get proceeding(): boolean {
    return this.#state === "proceeding";
  }

  get finished(): boolean {
    return this.#state === "completed" || this.#state === "terminated";
  }

  receive(response: SipMessage): void {
    if (cseqNumber(response) !== this.request.cseq) return;
    if (response.status < 200) return this.#provisional(response);
    if (this.finished) return this.#repeated(response);
    this.#state = "completed";
    this.#retransmission?.clear();
    this.#patience.clear();
    this.#patience = this.#clock.setTimer(patienceMs, () => this.terminate());
    if (this.request.method === "INVITE" && response.status >= 300) this.#acknowledgeFailure(response);
    this.#handler.final(response);
  }

  /** Ends it without a word; idempotent. */
  terminate(): void {
    if (this.#state === "terminated") return;
    this.#state = "terminated";
    this.#retransmission?.clear();
    this.#patience.clear();
    this.#gone();
  }

  #transmit(gapMs: number): void {
    this.#send(requestText(this.request), this.#peer);
    const next = this.request.method === "INVITE" ? gapMs * 2 : Math.min(gapMs * 2, t2Ms);
    this.#retransmission = this.#clock.setTimer(gapMs, () => this.#transmit(next));
  }

  #provisional(response: SipMessage): void {
    if (this.finished) return;
    this.#state = "proceeding";
    if (this.request.method === "INVITE") {
      this.#retransmission?.clear();
      this.#patience.clear();
      // "on 100 SIPS starts a 32 s timer, ended by the 180" (genesys-sip-server 5.1).
      if (response.status === 100) this.#patience = this.#clock.setTimer(patienceMs, () => this.#expire());
    }
    this.#handler.provisional?.(response);
  }

  #repeated(response: SipMessage): void {
    if (this.request.method !== "INVITE") return;
    if (this.#failureAck) this.#send(this.#failureAck, this.#peer);
    else if (response.status < 300) this.#handler.repeatedSuccess?.(response);
  }

  /** RFC 3261 17.1.1.3: same branch, To of the response. */
  #acknowledgeFailure(response: SipMessage): void {
    this.#failureAck = writeMessage({
      startLine: `ACK ${this.request.uri} SIP/2.0`,
      from: this.request.from,
      to: mandatory(response, "To"),
      callId: this.request.callId,
      cseq: `${this.request.cseq} ACK`,
      vias: [this.request.via],
      extra: [["Max-Forwards", "70"]],
    });
    this.#send(this.#failureAck, this.#peer);
  }

  #expire(): void {
    this.terminate();
    this.#handler.timeout();
  }
}
