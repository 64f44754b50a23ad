import type { SipRequest, SipResponse } from "../message/types.ts";
import type { Flow } from "../transport/flow.ts";

/** Server transaction (RFC 3261 17.2, RFC 6026). The layer absorbs retransmissions and repeats the last response. */
export interface ServerTransaction {
  readonly request: SipRequest;
  readonly flow: Flow;
  /** True until a final response was sent. */
  readonly pending: boolean;
  /**
   * Sends a response made by `createResponse`. For INVITE a 2xx may be given again (the user of the transaction
   * repeats it until the ACK comes, RFC 6026 7.1); any other second final response is refused with a log line.
   * When the flow is closed and `rebind` gave no other, `onTransportError` is called.
   */
  respond(response: SipResponse): void;
  /** Later responses go by this flow: the client came back on a new connection. */
  rebind(flow: Flow): void;
  /** A CANCEL matched this INVITE; the layer has answered the CANCEL with 200. The user answers 487. */
  onCancel?: (cancel: SipRequest) => void;
  /** INVITE only: ACK to a non-2xx came, or timer H ran out without it (`acknowledged` false). */
  onCompleted?: (acknowledged: boolean) => void;
  onTransportError?: (error: Error) => void;
}

/** What the sender of a request hears. */
export interface ClientHandlers {
  /** Every provisional and final response; for INVITE also each further 2xx (other tag or retransmission). */
  onResponse(response: SipResponse): void;
  /** Timer B or F, or the `timeoutMs` given, ran out without a final response. */
  onTimeout(): void;
  onTransportError(error: Error): void;
}

/** Client transaction (RFC 3261 17.1) of a request on its way. */
export interface ClientTransaction {
  readonly request: SipRequest;
  readonly flow: Flow;
  /** Sends CANCEL for an INVITE, at once or as soon as a provisional response allows it (RFC 3261 9.1).
   * Nothing happens after a final response. `reason` becomes a Reason header (RFC 3326). */
  cancel(reason?: string): void;
  /** Forgets the transaction without a word to anybody. */
  abandon(): void;
}

/** The layer's user: what cannot be matched to a transaction comes here. */
export interface TransactionUser {
  /** A new request other than ACK and CANCEL. Must be answered through `transaction`. */
  onRequest(request: SipRequest, transaction: ServerTransaction): void;
  /** ACK for a 2xx: no transaction of its own (RFC 3261 13.3.1.4). */
  onAck(request: SipRequest, flow: Flow): void;
}

/** How long a request waits. */
export interface RequestOptions {
  /** Gives up earlier than timer F, in ms (SIP Server proxies want 4000); for an INVITE, earlier than timer B. */
  timeoutMs?: number;
}

/** RFC 3261 17 with RFC 6026 for all flows of the process. */
export interface TransactionLayer {
  /** Sends a request made by `createRequest`; the layer puts the top Via with a new branch on it. */
  request(
    request: SipRequest,
    flow: Flow,
    handlers: ClientHandlers,
    options?: RequestOptions,
  ): ClientTransaction;
  /** Sends an ACK for a 2xx (its own Via, no transaction), or repeats one. */
  sendAck(ack: SipRequest, flow: Flow): void;
  /** Live transactions: zero after the last timer. */
  readonly counts: { client: number; server: number };
  /** Ends all without a word. Idempotent. */
  close(): void;
}
