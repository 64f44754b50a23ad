import type { Authentication, Flow, SessionContext, SessionTerms, SipRequest } from "../../sip/index.ts";
import type { OutboundPolicy } from "../outbound/outbound-policy.ts";
import type { TrunkServer } from "../outbound/outbound-servers.ts";

/** How SIP Server is reached. */
export interface Trunk {
  /** `host:port` of our SIP socket as SIP Server sees it; host of our Contacts. */
  readonly contactHost: string;
  /** The server for a call of `dn`'s, or for its next attempt besides those `excluded`; undefined while none is up. */
  server(dn: string, excluded?: readonly Flow[]): TrunkServer | undefined;
  /** A server asked not to be called for `ms` (503 with Retry-After). */
  avoid(server: Flow, ms: number): void;
  /** An INVITE sent at `sentAt` (clock time) got no response, or could not be sent. */
  unanswered(server: Flow, sentAt: number): void;
  /** Flow for a request within a dialog whose next hop is `uri`; undefined when that host is not allowed. */
  flowTo(uri: string): Flow | undefined;
  /** The agent's name for From of the calls the agent dials, undefined when none is configured. */
  displayName(dn: string): string | undefined;
  /** Digest credentials of the DN, undefined when there are none. */
  authentication(dn: string): Authentication | undefined;
}

/** What SIP Server's legs share. */
export interface TrunkLegOptions {
  readonly context: SessionContext;
  readonly trunk: Trunk;
  readonly userAgent: string;
  /** What sessions with SIP Server agree to. Default: `defaultTrunkTerms`. */
  readonly trunkTerms?: SessionTerms;
  /** NOTIFY message-summary for the DN; already answered. */
  readonly onMessageSummary: (dn: string, request: SipRequest) => void;
  /** Names of SIP Server's headers that pages may read; `*` stands for anything. */
  readonly headersToPage: readonly string[];
  /** Default: all numbers, as dialled. */
  readonly outbound?: OutboundPolicy;
}
