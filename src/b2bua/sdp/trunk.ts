import type { MediaDescription } from "sdp-transform";
import type { Direction, Payload, TrunkLocal, TrunkRemote } from "../../media/index.ts";
import { choosePayload, chosenPayload, describeFormats, ownCodec, packetTimeMs } from "./codecs.ts";
import { answerDirection, intersectDirections, reverseDirection } from "./direction.ts";
import { notAcceptable } from "./text.ts";
import { parseTrunkDescription } from "./trunk-read.ts";
import { answeredKeys, cryptoAttribute, type CryptoLine, type TrunkSrtpKeys } from "./trunk-srtp.ts";
import type {
  MadeOffer,
  OfferedTelephoneEvent,
  OfferInfo,
  Preference,
  SdpResult,
  TrunkAnswerMade,
  TrunkDescription,
} from "./types.ts";
import { refusedSection, writeDescription } from "./write.ts";

export interface TrunkPreference extends Preference {
  readonly local: TrunkLocal;
  /** Default: plain RTP only. */
  readonly srtp?: TrunkSrtpKeys;
}

/** The number Genesys endpoints use for telephone-event (genesys-sip-server.md 7.1). */
const ownEvent: OfferedTelephoneEvent = { payloadType: 101, clockRate: 8000 };
/** Events beside Opus share its clock (RFC 4733 2.4.1). */
const ownOpusEvent: OfferedTelephoneEvent = { payloadType: 110, clockRate: 48_000 };

/** Packet times we can send, ms. */
const shortestPacketMs = 10;
const longestPacketMs = 60;

/** Offers RTP to SIP Server, or SRTP where that is wanted: our codecs in our order, telephone-event 101, 20 ms. */
export function offerTrunk(preference: TrunkPreference): MadeOffer {
  const { local, codecs, direction, origin, opusFormat } = preference;
  const offered = codecs.map((codec) => ownCodec(codec, opusFormat));
  const telephoneEvents =
    preference.telephoneEvent === false
      ? []
      : codecs.includes("opus")
        ? [ownEvent, ownOpusEvent]
        : [ownEvent];
  const formats = describeFormats(offered, telephoneEvents);
  const crypto = preference.srtp?.offered() ?? [];
  const protocol = crypto.length > 0 ? "RTP/SAVP" : "RTP/AVP";
  const media = [{ ...audioSection(local, local.port, protocol, formats, direction), ...cryptoPart(crypto) }];
  const sdp = writeDescription({ origin, address: local.address, iceLite: false, bundle: undefined, media });
  return { sdp, offer: { codecs: offered, telephoneEvents, direction, crypto } };
}

/**
 * Answers an offer of SIP Server's: one codec (the first common one in our order) and telephone-event, both with the
 * offer's numbers, which then hold both ways; every other m-line refused. 488 when there is no common codec.
 */
export function answerTrunk(offer: TrunkDescription, preference: TrunkPreference): TrunkAnswerMade {
  const audio = offer.sections[offer.audioIndex];
  if (!audio) return notAcceptable("no audio m-line");
  const events = preference.telephoneEvent === false ? [] : offer.telephoneEvents;
  const payload = choosePayload(preference.codecs, offer.codecs, events);
  if (!payload) return notAcceptable("no common codec");
  const direction = answerDirection(effectiveDirection(offer), preference.direction);
  const { local, origin } = preference;
  const [theirs] = offer.crypto;
  const srtp = theirs && preference.srtp?.answering(theirs, offer);
  const crypto = theirs && srtp ? [{ ...theirs, key: srtp.sendKey }] : [];
  const formats = describeFormats(
    [ownCodec(payload.codec, preference.opusFormat, payload.payloadType)],
    payload.telephoneEvent ? [payload.telephoneEvent] : [],
  );
  // An offered port 0 must be answered by port 0 (RFC 3264 6).
  const port = offer.port === 0 ? 0 : local.port;
  const media = offer.sections.map((section, index) =>
    index === offer.audioIndex
      ? { ...audioSection(local, port, audio.protocol, formats, direction), ...cryptoPart(crypto) }
      : refusedSection(section),
  );
  const sdp = writeDescription({ origin, address: local.address, iceLite: false, bundle: undefined, media });
  return { ok: true, sdp, remote: { ...remoteOf(offer, payload, direction), ...(srtp ? { srtp } : {}) } };
}

/** Judges SIP Server's answer to our offer; it may renumber, see `chosenPayload`. */
export function acceptTrunkAnswer(
  offer: OfferInfo,
  answerSdp: string,
): SdpResult<{ readonly remote: TrunkRemote; readonly description: TrunkDescription }> {
  // An answer is of the offer's kind (RFC 3264 6): keys in an offer never end in plain RTP.
  const offeredKeys = offer.crypto ?? [];
  const secure = offeredKeys.length > 0;
  const parsed = parseTrunkDescription(answerSdp, secure ? "require" : "off");
  if (!parsed.ok) return parsed;
  const { description } = parsed;
  const payload = chosenPayload(offer, description);
  if (!payload) return notAcceptable("answer has none of the codecs offered");
  const srtp = answeredKeys(offeredKeys, description.crypto);
  if (secure && !srtp) return notAcceptable("answer has none of the a=crypto lines offered");
  const theirs = reverseDirection(effectiveDirection(description));
  const direction = intersectDirections(offer.direction, theirs);
  const remote = { ...remoteOf(description, payload, direction), ...(srtp ? { srtp } : {}) };
  return { ok: true, remote, description };
}

/** The written direction, less what `c=0.0.0.0` (nothing can be received) or port 0 (nothing at all) takes away. */
function effectiveDirection({ direction, address, port }: TrunkDescription): Direction {
  if (port === 0) return "inactive";
  return address === "0.0.0.0" ? intersectDirections(direction, "sendonly") : direction;
}

function remoteOf(description: TrunkDescription, chosen: Payload, direction: Direction): TrunkRemote {
  const { address, port, rtcp } = description;
  const packetMs = packetMsOf(description);
  const payload = packetMs === packetTimeMs || chosen.codec === "opus" ? chosen : { ...chosen, packetMs };
  return { address, port, payload, direction, ...(rtcp ? { rtcp } : {}) };
}

/** The packet time the far side asks for, as near as we have it and no longer than its `a=maxptime` (RFC 8866 6.4). */
function packetMsOf({ ptime, maxptime }: TrunkDescription): number {
  const wanted = Math.round((ptime || packetTimeMs) / 10 - 0.01) * 10;
  const most = Math.floor((maxptime || longestPacketMs) / 10) * 10;
  return Math.max(shortestPacketMs, Math.min(wanted, most, longestPacketMs));
}

function cryptoPart(lines: readonly CryptoLine[]): Pick<MediaDescription, "crypto"> {
  return lines.length === 0 ? {} : { crypto: lines.map(cryptoAttribute) };
}

function audioSection(
  { rtcpXr }: TrunkLocal,
  port: number,
  protocol: string,
  formats: Pick<MediaDescription, "payloads" | "rtp" | "fmtp">,
  direction: Direction,
): MediaDescription {
  // RFC 3611 5; the library has no name for it.
  const extended = rtcpXr ? { invalid: [{ value: "rtcp-xr:voip-metrics" }] } : {};
  return { type: "audio", port, protocol, ...formats, ptime: packetTimeMs, direction, ...extended };
}
