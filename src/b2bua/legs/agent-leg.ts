import type { CallNotice } from "../clients/call-notices.ts";
import type { QualityNotice } from "../media/call-quality.ts";
import type { Logger } from "../../core/index.ts";
import type { MediaStatistics } from "../../media/index.ts";
import type { AgentPresence } from "../../registrar/index.ts";
import type { HeaderPair, IncomingRefer, OfferReply, Replaces } from "../../sip/index.ts";

/** Read-only data of a call from SIP Server, shown to the page (P-Asserted-Identity, X-Genesys-CallUUID ...). */
export interface CallerData {
  /** From of SIP Server's INVITE: the far party's number and perhaps name. */
  readonly number: string;
  readonly displayName: string | undefined;
  readonly headers: readonly HeaderPair[];
}

/** Why a leg or call ended or failed, in words for the record, and for the other side. */
export interface LegEnd {
  /** SIP status that says it, e.g. 486; 200 for a normal hang-up. */
  readonly status: number;
  readonly reason: string;
  /** Reason header (RFC 3326) to hand on, as received. */
  readonly header?: string;
  /** Of a refusal that will not last: when to try again, seconds. */
  readonly retryAfterSeconds?: number;
}

/** What an agent's leg tells the call. */
export interface AgentLegUser {
  /** The call's logger for this leg; default: the room's. */
  readonly log?: Logger;
  /** Messages with this Call-ID are this leg's; told before the first one is sent. */
  onDialog?(callId: string): void;
  /** The agent's client was reached and rings. */
  onRinging(): void;
  /** The agent answered our offer with `sdp`. The leg has acknowledged it. */
  onAnswered(sdp: string): void;
  /** Over before it was established, by the agent or for want of an answer; never after `cancel` or `reject`. */
  onFailed(end: LegEnd): void;
  /** A new offer of the client's: hold, retrieve, ICE restart; `newTransport`: with DTLS of another peer connection. */
  onOffer(sdp: string, reply: OfferReply, newTransport?: boolean): void;
  /** Digits sent as signalling instead of in the media (SIP INFO). */
  onDigits(digits: string, durationMs: number): void;
  /** Whether sound comes from the agent's client. */
  mediaFlows(): boolean;
  /** Something for SIP Server that means nothing to the call, by INFO (RFC 6086); `contentType` in lower case. */
  onInfo(contentType: string, body: string): void;
  /** The counters of the call's media now, for a client that asks; undefined where there is no media. */
  statistics(): Promise<MediaStatistics | undefined>;
  /** The client wants the established call transferred (RFC 3515). */
  onRefer(refer: IncomingRefer): void;
  /** The established leg is over, not by us. */
  onEnded(end: LegEnd): void;
  /** The established leg is lost, but its client can take the call over by a new one (docs/decisions/0011-resume.md). */
  onLost(end: LegEnd): void;
  /** A token by which the client can do that, for it and nobody else: in what rings it or answers it. */
  newResumeToken(): string;
  /** The client has all that this leg sent when it came up, the token too. */
  onConfirmed(): void;
}

/**
 * The agent's side of one call, whatever its client speaks: SIP over WebSocket, the WRTC HTTP protocol, or a test
 * double. Descriptions are SDP because every kind of client is a browser.
 */
export interface AgentLeg {
  readonly presence: AgentPresence;
  /** Call-ID of the leg, for records and for the page. */
  readonly callId: string;
  /** Whether the client knows the call by this dialog. */
  isDialog(replaces: Replaces): boolean;
  /** The agent called: 180 or 183, with `sdp` as early media; `data`: headers of SIP Server's that the page may read. */
  progress(status: number, sdp?: string, data?: readonly HeaderPair[]): void;
  /** The agent called: answered with `sdp`. */
  answer(sdp: string, data?: readonly HeaderPair[]): void;
  /** The agent called: refused. */
  reject(end: LegEnd): void;
  /** NOTIFY talk: asks the page to answer the ringing call, or to retrieve the held one. Safe to repeat. */
  talk(): void;
  /** The call was put on hold by SIP Server's remote control: the client is to show it so. Safe to repeat. */
  hold(): void;
  /** A short tone for the agent alone, for a client that asked to be told. */
  beep(): void;
  /** We called: rings anew without the headers that make the client answer by itself. */
  ringByHand(): void;
  /** Something of SIP Server's that means nothing to the call, by INFO. False: the client takes none of that type. */
  info(contentType: string, body: string): boolean;
  /** News of the call, for a client that asked to be told. */
  tellCall(notice: CallNotice): void;
  /** How the last few seconds sounded, for a client that asked to be told. */
  tellQuality(notice: QualityNotice): void;
  /** We called: no longer wanted. */
  cancel(end: LegEnd): void;
  /** The client came back on another connection: what is still to be answered goes there. */
  moved(): void;
  /** Ends an established leg. Idempotent. */
  end(end: LegEnd): void;
  /**
   * The client has taken the call over by another leg. This one ends toward the connection it was last known by, if
   * that is still there, and tells nothing any more. Idempotent.
   */
  leave(): void;
}

/** What an agent's client is rung with. */
export interface Invitation {
  readonly sdp: string;
  readonly caller: CallerData;
  /** Headers that make the client answer by itself; none: a person or NOTIFY talk makes it. */
  readonly autoAnswer: readonly HeaderPair[];
}

/** Makes legs toward one kind of presence. */
export interface AgentLegs<Presence extends AgentPresence> {
  /** Starts ringing `presence`; undefined when it cannot be reached within its grace time. */
  invite(presence: Presence, invitation: Invitation, user: AgentLegUser): Promise<AgentLeg | undefined>;
}

/** The leg of a call that the agent's client began. */
export interface CallingLeg {
  readonly leg: AgentLeg;
  /** SDP; empty: there was none. */
  readonly offer: string;
  /** The client waits for an answer still. */
  readonly pending: boolean;
}

/** Makes such a leg; `user` is told of nothing before this returns. */
export type MakeCallingLeg = (user: AgentLegUser) => CallingLeg;
