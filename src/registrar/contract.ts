import type { TypedEvents } from "../core/index.ts";
import type { Flow, SipUri } from "../sip/index.ts";

/**
 * One signed-in client of one DN: (DN, instance), whatever connection it has at the moment. SIP over WebSocket
 * is one implementation; the HTTP clients and test doubles are others.
 */
export interface AgentPresence {
  /** What its client speaks. */
  readonly kind: "sip" | "wrtc";
  readonly dn: string;
  /** `+sip.instance` value, or one made up from the contact when the client sent none. */
  readonly instance: string;
  /** What the client calls itself (User-Agent), for records and the client table. */
  readonly userAgent: string;
  /** Event packages the client said it takes (Allow-Events of its REGISTER), lower case. */
  readonly allowEvents: readonly string[];
  /** True while a flow carries it; false in the grace time after a lost socket. */
  readonly reachable: boolean;
  /** When it signed in, ms since 1970-01-01 UTC. */
  readonly since: number;
  /** True after it signed out, was replaced or its grace ended; never reachable again. */
  readonly gone: boolean;
}

/** A browser's binding (RFC 3261 10, RFC 5626): the contact is `.invalid` and reached by its flow only. */
export interface SipPresence extends AgentPresence {
  readonly kind: "sip";
  /** Contact URI as registered: the request URI of requests to it. */
  readonly contactUri: string;
  /** Of its connections the one registered last that is open (RFC 5626); undefined while there is none. */
  readonly flow: Flow | undefined;
  /** Path of its REGISTER (RFC 3327): the Route of requests outside dialogs; empty where it connects directly. */
  readonly path: readonly string[];
  /** Whether `flow` is one of its connections. */
  carries(flow: Flow): boolean;
  /** A request by `flow` came back with 430: another connection of its is used while there is one (RFC 5626 7). */
  flowFailed(flow: Flow): void;
  /** Resolves with a flow when there is or comes one within `graceMs`, else with undefined. */
  waitForFlow(graceMs: number): Promise<Flow | undefined>;
}

/**
 * A client that speaks the WRTC HTTP protocol. Who carries it (`src/wrtc`) judges its sign-in and knows when it is gone;
 * to the registrar it says so. Its library has one call at a time, so a DN may have several of them.
 */
export interface WrtcPresence extends AgentPresence {
  readonly kind: "wrtc";
  /** Of its connection, `192.0.2.7:50123`; the last one's while it has none. */
  readonly address: string;
  /** It is signed in no more, by an administrator or since the gateway closes; `gone` from now on. */
  dismissed(reason: string): void;
}

/** Any client the registrar knows. */
export type KnownPresence = SipPresence | WrtcPresence;

/** What the registrar tells. */
export type RegistrarEvents = {
  /** First binding of a DN's instance. */
  "signed-in": [presence: KnownPresence];
  /** Its socket is lost; the grace time runs. */
  "flow-lost": [presence: KnownPresence];
  /** It came back on a new flow, re-registered by another, or lost one and has another left. */
  "flow-resumed": [presence: KnownPresence];
  /** Un-registered, expired, replaced by a newer instance, or grace over. */
  "signed-out": [presence: KnownPresence, reason: string];
  /** A REGISTER was refused for its password, or unread because too many before it were wrong. */
  "login-refused": [dn: string, address: string, cause: "password" | "blocked"];
};

/** The agents' registrar: who is signed in, and by which flow each can be reached. */
export interface Registrar {
  readonly events: TypedEvents<RegistrarEvents>;
  /**
   * The presence that calls for `dn` go to: of those that can be reached the newest that is `free`, else the newest; none
   * of them: the newest there is.
   */
  find(dn: string, free?: (presence: KnownPresence) => boolean): KnownPresence | undefined;
  /** The presence that `flow` carries for `dn`: authorises requests that come by it. */
  findByFlow(flow: Flow): SipPresence | undefined;
  /** The presence a GRUU of ours leads to (RFC 5627); undefined when it is void, or its client is not signed in. */
  findByGruu(uri: SipUri): SipPresence | undefined;
  readonly size: number;
}

/** Where a DN's registration at SIP Server stands. */
export type TrunkState = "idle" | "registering" | "in-service" | "backing-off" | "rejected";

/** State of one DN toward SIP Server, with its reason. */
export interface TrunkStatus {
  readonly state: TrunkState;
  /** In words, for the page and the log: `404 Not Found: DN not configured at SIP Server`; empty when in service. */
  readonly reason: string;
}

/** One signed-in client, as a list shows it. */
export interface AgentSummary {
  readonly kind: AgentPresence["kind"];
  readonly dn: string;
  readonly instance: string;
  readonly userAgent: string;
  /** Of its connection, `192.0.2.7:50123`; the last one's while it has none. */
  readonly address: string;
  /** When it signed in, ms since 1970-01-01 UTC. */
  readonly since: number;
  readonly reachable: boolean;
}

/** What the trunk registrations tell. */
export type TrunkEvents = {
  status: [dn: string, status: TrunkStatus];
  /** A 200 carried a foreign contact: another phone took the DN over. */
  stolen: [dn: string, contact: string];
};

/** Per-DN registrations at SIP Server, coupled to the agents' presence. */
export interface TrunkRegistrations {
  readonly events: TypedEvents<TrunkEvents>;
  status(dn: string): TrunkStatus;
  /** A running call keeps the DN registered; the returned function lets go, idempotent. */
  retain(dn: string): () => void;
}
