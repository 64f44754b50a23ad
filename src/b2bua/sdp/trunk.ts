import type { MediaDescription } from "sdp-transform";
import type { Direction, Payload, TrunkLocal, TrunkRemote } from "../../media/index.ts";
import { choosePayload, describeFormats, ownCodec, packetTimeMs } from "./codecs.ts";
import { answerDirection, intersectDirections, reverseDirection } from "./direction.ts";
import { notAcceptable } from "./text.ts";
import { parseTrunkDescription } from "./trunk-read.ts";
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
}

/** The number Genesys endpoints use for telephone-event (genesys-sip-server.md 7.1). */
const ownEvent: OfferedTelephoneEvent = { payloadType: 101, clockRate: 8000 };

/** Offers plain RTP to SIP Server: our codecs in our order, telephone-event 101, 20 ms. */
export function offerTrunk({ local, codecs, direction, origin, telephoneEvent }: TrunkPreference): MadeOffer {
  const offered = codecs.map((codec) => ownCodec(codec));
  const telephoneEvents = telephoneEvent === false ? [] : [ownEvent];
  const formats = describeFormats(offered, telephoneEvents);
  const media = [audioSection(local, local.port, "RTP/AVP", formats, direction)];
  const sdp = writeDescription({ origin, address: local.address, iceLite: false, bundle: undefined, media });
  return { sdp, offer: { codecs: offered, telephoneEvents, direction } };
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
  const formats = describeFormats(
    [ownCodec(payload.codec, payload.payloadType)],
    payload.telephoneEvent ? [payload.telephoneEvent] : [],
  );
  // An offered port 0 must be answered by port 0 (RFC 3264 6).
  const port = offer.port === 0 ? 0 : local.port;
  const media = offer.sections.map((section, index) =>
    index === offer.audioIndex
      ? audioSection(local, port, audio.protocol, formats, direction)
      : refusedSection(section),
  );
  const sdp = writeDescription({ origin, address: local.address, iceLite: false, bundle: undefined, media });
  return { ok: true, sdp, remote: remoteOf(offer, payload, direction) };
}

/**
 * Judges SIP Server's answer to our offer. Its numbers are those it wants to receive, ours those we receive
 * (RFC 3264 5.1, 6.1): where they differ the payload names both.
 */
export function acceptTrunkAnswer(
  offer: OfferInfo,
  answerSdp: string,
): SdpResult<{ readonly remote: TrunkRemote; readonly description: TrunkDescription }> {
  const parsed = parseTrunkDescription(answerSdp);
  if (!parsed.ok) return parsed;
  const { description } = parsed;
  const chosen = description.codecs.find(({ codec }) => offer.codecs.some((entry) => entry.codec === codec));
  const events = description.telephoneEvents.filter(({ clockRate }) =>
    offer.telephoneEvents.some((entry) => entry.clockRate === clockRate),
  );
  const payload = chosen && choosePayload([chosen.codec], [chosen], events);
  if (!payload) return notAcceptable("answer has none of the codecs offered");
  const theirs = reverseDirection(effectiveDirection(description));
  const direction = intersectDirections(offer.direction, theirs);
  return { ok: true, remote: remoteOf(description, withReceived(payload, offer), direction), description };
}

/** Adds the numbers we receive where our offer's differ from the answer's. */
function withReceived(payload: Payload, offer: OfferInfo): Payload {
  const { codec, payloadType, telephoneEvent } = payload;
  const ours = offer.codecs.find((entry) => entry.codec === codec)?.payloadType ?? payloadType;
  const received = ours === payloadType ? {} : { receivePayloadType: ours };
  if (!telephoneEvent) return { codec, payloadType, ...received };
  const event = offer.telephoneEvents.find(({ clockRate }) => clockRate === telephoneEvent.clockRate);
  const receivedEvent =
    event === undefined || event.payloadType === telephoneEvent.payloadType
      ? {}
      : { receivePayloadType: event.payloadType };
  return { codec, payloadType, ...received, telephoneEvent: { ...telephoneEvent, ...receivedEvent } };
}

/** The written direction, less what `c=0.0.0.0` (nothing can be received) or port 0 (nothing at all) takes away. */
function effectiveDirection({ direction, address, port }: TrunkDescription): Direction {
  if (port === 0) return "inactive";
  return address === "0.0.0.0" ? intersectDirections(direction, "sendonly") : direction;
}

function remoteOf(description: TrunkDescription, payload: Payload, direction: Direction): TrunkRemote {
  const { address, port, rtcp } = description;
  return { address, port, payload, direction, ...(rtcp ? { rtcp } : {}) };
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
