import type { Clock, Logger, Random } from "../../core/index.ts";
import type { HeaderPair } from "../dialog/index.ts";
import type { SipRequest, SipResponse } from "../message/types.ts";
import type { ServerTransaction, TransactionLayer } from "../transaction/types.ts";
import type { Flow } from "../transport/flow.ts";

/** How a session reaches its peer, now and after the peer moved. */
export interface SessionRoute {
  /** The flow for a request whose next hop is `nextHop` (a URI); undefined while the peer cannot be reached. */
  flow(nextHop: string): Flow | undefined;
  /** Resolves with a flow when the peer comes back within the route's own grace time, else with undefined. */
  waitForFlow(): Promise<Flow | undefined>;
  /** Whether a request that came by `flow` may act on this session. */
  accepts(flow: Flow): boolean;
}

/** What our side of a session says of itself in each message. */
export interface SessionIdentity {
  /** Contact value, with angle brackets. */
  readonly contact: string;
  /** Allow, Supported, Allow-Events, User-Agent, generated from what is handled. */
  readonly headers: readonly HeaderPair[];
}

/** What all sessions share. */
export interface SessionContext {
  readonly transactions: TransactionLayer;
  readonly dialogs: DialogRegistry;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Where requests within dialogs find their session. */
export interface DialogRegistry {
  add(key: string, session: DialogOwner): void;
  remove(key: string): void;
}

/** Who gets the requests of a dialog. */
export interface DialogOwner {
  receiveRequest(request: SipRequest, transaction: ServerTransaction): void;
  receiveAck(request: SipRequest): void;
}

/** Reply to a re-INVITE or UPDATE of the peer's. Exactly one of the two is called, at once or later. */
export interface OfferReply {
  /** 200 with `sdp` (undefined for a session refresh without SDP). `onAck` gets the ACK's body when the request
   * was a re-INVITE without an offer, so that the answer is in the ACK. */
  accept(sdp: string | undefined, onAck?: (answer: string) => void): void;
  reject(status: number, reason?: string): void;
}

/** Why a session is over. */
export interface SessionEnd {
  readonly by: "peer" | "us";
  /** In words, e.g. `BYE (SIP;cause=403;text="Forbidden")`, `no answer (our UPDATE)`. */
  readonly reason: string;
  /** The peer's Reason header as received. */
  readonly header?: string;
}

/** Why an INVITE came to nothing. */
export interface SessionFailure {
  readonly status: number;
  readonly reason: string;
  /** The peer's Reason header as received. */
  readonly header?: string;
  readonly response?: SipResponse;
  /** The request could not be delivered, or its connection was lost before the answer. */
  readonly unreachable?: true;
}

/** What a session tells its owner. Each is called from a handler that catches what it throws. */
export interface SessionUser {
  /** We called: a provisional response other than 100. */
  onProvisional(response: SipResponse): void;
  /** We called: answered. The owner calls `acknowledge`. */
  onAnswered(response: SipResponse): void;
  /** We called: over before an answer; or they called and gave up (status 487). */
  onFailed(failure: SessionFailure): void;
  /** They called: the first ACK for our 200 came, with its body. */
  onAcknowledged(body: string): void;
  /** re-INVITE or UPDATE; `sdp` is empty for an offerless re-INVITE. */
  onOffer(sdp: string, request: SipRequest, reply: OfferReply): void;
  /** UPDATE without SDP; answered already. */
  onUpdate?(request: SipRequest): void;
  /** Any other request within the dialog, early or confirmed. Must be answered through `transaction`. */
  onRequest(request: SipRequest, transaction: ServerTransaction): void;
  /** An established session is over; never called when `bye` ended it. */
  onEnded(end: SessionEnd): void;
}
