import type { CryptoLine } from "./trunk-srtp.ts";
import type { BrowserRemote, CodecName, Direction, Fingerprint, TrunkRemote } from "../../media/index.ts";

/** Why a description was not taken, with the SIP status that says so (RFC 3261 21.4.1, 21.4.26). */
export interface SdpRefusal {
  readonly ok: false;
  /** 400: not SDP at all, or past a limit. 488: sound SDP that we cannot serve. */
  readonly status: 400 | 488;
  readonly reason: string;
}

/** What came of reading or answering a description. */
export type SdpResult<Value extends object> = ({ readonly ok: true } & Value) | SdpRefusal;

/** What our `o=` line says; see `SdpOrigin`. */
export interface OriginIds {
  readonly sessionId: string;
  readonly version: number;
}

/** The far side's `o=` line; numbers kept as text because they may have 64 bits and more. */
export interface RemoteOrigin {
  readonly sessionId: string;
  readonly version: string;
  readonly address: string;
}

/** A codec of ours in the far side's list, in the far side's order. */
export interface OfferedCodec {
  readonly codec: CodecName;
  readonly payloadType: number;
  /** Text of `a=fmtp` behind the payload type; empty when there is none. */
  readonly fmtp: string;
}

/** Telephone-event (RFC 4733) in a description's list. */
export interface OfferedTelephoneEvent {
  readonly payloadType: number;
  readonly clockRate: 8000 | 48000;
}

/** One m-line as it stood, so that an answer can refuse it in its place (RFC 3264 6). */
export interface SectionLine {
  readonly type: string;
  readonly port: number;
  readonly protocol: string;
  readonly formats: readonly string[];
  readonly mid: string | undefined;
}

/** What both sides' descriptions share. */
export interface AudioDescription {
  readonly origin: RemoteOrigin;
  /** Every m-line in order; `audioIndex` says which one is the audio that counts. */
  readonly sections: readonly SectionLine[];
  readonly audioIndex: number;
  /** As the sender wrote it, from the sender's point of view; `sendrecv` where nothing stands. */
  readonly direction: Direction;
  readonly codecs: readonly OfferedCodec[];
  readonly telephoneEvents: readonly OfferedTelephoneEvent[];
  /** Milliseconds; undefined where nothing stands. */
  readonly ptime: number | undefined;
  readonly maxptime: number | undefined;
}

/** Values of `a=setup` (RFC 8842). */
export type SetupRole = "actpass" | "active" | "passive";

/** A browser's offer or answer, taken apart. */
export interface BrowserDescription extends AudioDescription {
  readonly iceUfrag: string;
  readonly icePwd: string;
  readonly fingerprints: readonly Fingerprint[];
  readonly setup: SetupRole;
  readonly mid: string | undefined;
  /** Mids of the BUNDLE group; empty when there is none. */
  readonly bundle: readonly string[];
  /** `a=rtcp-rsize` (RFC 5506 5). */
  readonly rtcpReducedSize: boolean;
}

/** An offer or answer from SIP Server, taken apart. */
export interface TrunkDescription extends AudioDescription {
  /** Dotted IPv4; `0.0.0.0` holds. */
  readonly address: string;
  /** 0 holds. */
  readonly port: number;
  /** From `a=rtcp` (RFC 3605), undefined when it is the next port of the same address. */
  readonly rtcp: { readonly address: string; readonly port: number } | undefined;
  /** The old way to hold: nothing may be sent to `0.0.0.0` or to port 0. */
  readonly held: boolean;
  /** Keys that can be used; empty for plain RTP. */
  readonly crypto: readonly CryptoLine[];
}

/** What we put into an offer, needed to judge its answer. */
export interface OfferInfo {
  readonly codecs: readonly OfferedCodec[];
  readonly telephoneEvents: readonly OfferedTelephoneEvent[];
  /** From our point of view. */
  readonly direction: Direction;
  /** Toward SIP Server: keys offered; absent or empty for plain RTP. */
  readonly crypto?: readonly CryptoLine[];
}

/** An offer as text, with what its answer is judged by. */
export interface MadeOffer {
  readonly sdp: string;
  readonly offer: OfferInfo;
}

export type BrowserAnswerMade = SdpResult<{ readonly sdp: string; readonly remote: BrowserRemote }>;
export type TrunkAnswerMade = SdpResult<{ readonly sdp: string; readonly remote: TrunkRemote }>;

/** What an answer to `description` may choose from, in our order of preference. */
export interface Preference {
  readonly codecs: readonly CodecName[];
  /** Parameters of Opus in our description, see `opusFormats`. Default: those for a far side of G.711. */
  readonly opusFormat?: string;
  /** False leaves telephone-event out. Default true. */
  readonly telephoneEvent?: boolean;
  /** What we want, from our point of view; the answer never gives more than was offered. */
  readonly direction: Direction;
  readonly origin: OriginIds;
}
