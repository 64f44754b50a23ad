import type { Clock, Logger, Random } from "../../core/index.ts";
import type { HeaderPair } from "../dialog/index.ts";
import type { SipRequest, SipResponse } from "../message/types.ts";
import type { ServerTransaction, TransactionLayer } from "../transaction/types.ts";
import type { Flow } from "../transport/flow.ts";
import type { Authentication } from "./authenticated-request.ts";

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

/** Session timers on one leg (RFC 4028). */
export interface TimerTerms {
  /** Session-Expires of our INVITEs, seconds; 0: none, what the peer asks for is agreed to all the same. */
  readonly offerSeconds: number;
  /** Smallest interval taken, seconds; an INVITE or UPDATE that asks for less gets 422. */
  readonly minSeconds: number;
  /** Who is to refresh where the peer leaves it to us. */
  readonly refresher: "us" | "peer";
  /** A peer that never said Allow is refreshed by UPDATE; else by re-INVITE. */
  readonly assumeUpdate?: boolean;
}

/** What one side of our sessions agrees to. */
export interface SessionTerms {
  /** Option tags in lower case; any other one in a Require gets 420. To be told in Supported. */
  readonly options: readonly string[];
  /** None: session timers are ignored. */
  readonly timer?: TimerTerms | undefined;
  /**
   * Provisional responses of ours are reliable (RFC 3262) when the caller requires it, or already when it supports it.
   * Default: required.
   */
  readonly reliable?: "required" | "supported";
}

/** What a session of either role is made of. */
export interface SessionParts {
  readonly route: SessionRoute;
  readonly identity: SessionIdentity;
  readonly user: SessionUser;
  readonly authentication?: Authentication;
  /** Default: no option tag, no session timer. */
  readonly terms?: SessionTerms;
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
  /** The peer did not end it: it does not know it any more, or is silent. */
  readonly lost?: true;
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
  /** They called without an offer: the PRACK of our reliable provisional response brought the answer to its SDP. */
  onEarlyAnswer?(sdp: string): void;
  /** A refresh repeated our last description unchanged; this is the peer's answer to it, mostly unchanged too. */
  onRefreshAnswer?(sdp: string): void;
  /** Whether sound comes from the peer, or none is expected (on hold): then neither its silence nor the session timer ends the session. */
  mediaFlows?(): boolean;
  /** A request of ours within the dialog got no answer or 408, or no refresh came in time; see `mediaFlows`. */
  onPeerSilent?(cause: string): void;
}
