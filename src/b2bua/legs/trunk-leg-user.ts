import type { Logger } from "../../core/index.ts";
import type { HeaderPair, IncomingRefer, OfferReply } from "../../sip/index.ts";
import type { ControlEvent } from "../call/control-acts.ts";
import type { LegEnd } from "./agent-leg.ts";
import type { DigitsWanted } from "./dtmf.ts";

/** What SIP Server's leg tells the call. */
export interface TrunkLegUser {
  /** The call's logger for this leg; default: the room's. */
  readonly log?: Logger;
  /** Messages with this Call-ID are this leg's; told before the first one is sent. */
  onDialog?(callId: string): void;
  /** We called: 180 (no `sdp`) or early media. */
  onProgress(status: number, sdp: string, data: readonly HeaderPair[]): void;
  /** We called: another server is tried, what was told of progress is void. */
  onNextServer?(): void;
  /** We called: answered. The leg has acknowledged it. `data`: headers the page may read. */
  onAnswered(sdp: string, data: readonly HeaderPair[]): void;
  /** Over before it was established; status 487 when the caller gave up. */
  onFailed(end: LegEnd): void;
  /** They called without an offer: the ACK's SDP is the answer to ours. Empty when they had offered. */
  onAcknowledged(sdp: string): void;
  /** They called without an offer and had ours in a reliable 180: this is the answer to it. */
  onEarlyAnswer(sdp: string): void;
  /** The answer to a refresh of ours, which repeated our last description. */
  onRefreshAnswer(sdp: string): void;
  /** Whether sound comes from SIP Server's side, or none is expected. */
  mediaFlows(): boolean;
  /** re-INVITE or UPDATE; `sdp` is empty for an offerless one. */
  onOffer(sdp: string, reply: OfferReply): void;
  /** NOTIFY talk, hold, beep or dtmf: 200 is already sent (genesys-sip-server.md 6). `digits` only with dtmf. */
  onControl(event: ControlEvent, digits?: DigitsWanted): void;
  /** X-Genesys-CallUUID is another one than before, or the first that came. */
  onCallUuid(uuid: string): void;
  /** The call's data changed: the lines that say something new, of those the page may read. */
  onCallData(headers: readonly HeaderPair[]): void;
  /** INFO that is no digit. False: nobody takes that type, which is in lower case. */
  onInfo(contentType: string, body: string): boolean;
  /** REFER in the established dialog (RFC 3515). */
  onRefer(refer: IncomingRefer): void;
  onEnded(end: LegEnd): void;
  /** See `SessionUser.onPeerSilent`. */
  onSilent(cause: string): void;
}

/** For who is told by a leg that is up: what belongs to its set-up comes no more. */
export const setUpIsOver: Pick<
  TrunkLegUser,
  "onProgress" | "onAnswered" | "onAcknowledged" | "onEarlyAnswer"
> = {
  onProgress() {},
  onAnswered() {},
  onAcknowledged() {},
  onEarlyAnswer() {},
};
