import type { MediaDescription } from "sdp-transform";
import {
  sends,
  type BrowserLocal,
  type BrowserRemote,
  type CodecName,
  type Direction,
  type Payload,
} from "../../media/index.ts";
import { parseBrowserDescription } from "./browser-read.ts";
import { choosePayload, chosenPayload, describeFormats, ownCodec, packetTimeMs } from "./codecs.ts";
import { answerDirection, intersectDirections, reverseDirection } from "./direction.ts";
import { notAcceptable } from "./text.ts";
import type {
  BrowserAnswerMade,
  BrowserDescription,
  MadeOffer,
  OfferedTelephoneEvent,
  OfferInfo,
  Preference,
  SdpResult,
  SectionLine,
} from "./types.ts";
import { refusedSection, writeDescription } from "./write.ts";

export interface BrowserPreference extends Preference {
  readonly local: BrowserLocal;
}

/** Stream and track name of our sound; one stream per session, so constants do. */
const streamId = "jackfield";
const trackId = "audio";

/** Telephone-event numbers of our own offers: those of Chromium. */
const ownEvents: readonly OfferedTelephoneEvent[] = [
  { payloadType: 126, clockRate: 8000 },
  { payloadType: 110, clockRate: 48_000 },
];

/** Priority of a host candidate: type 126, local 65535, component 1 (RFC 8445 5.1.2.1). */
const hostPriority = 2_130_706_431;
/** One less of local preference (RFC 8445 5.1.2.1). */
const localPreferenceStep = 256;

/**
 * Answers a browser's offer: one codec (the first of ours that it has) with its telephone-event, DTLS server,
 * ICE-lite with a candidate for each address, every other m-line refused in its place (but see `mayIdle`). 488 when there is no common codec, or when
 * the browser wants to be the DTLS server.
 */
export function answerBrowser(offer: BrowserDescription, preference: BrowserPreference): BrowserAnswerMade {
  const audio = offer.sections[offer.audioIndex];
  if (!audio) return notAcceptable("no audio m-line");
  if (offer.setup === "passive") return notAcceptable("a=setup:passive: we are always the DTLS server");
  const events = preference.telephoneEvent === false ? [] : offer.telephoneEvents;
  const payload = choosePayload(preference.codecs, offer.codecs, events);
  if (!payload) return notAcceptable("no common codec");
  const direction = answerDirection(offer.direction, preference.direction);
  const { local, origin } = preference;
  const formats = describeFormats(
    [ownCodec(payload.codec, preference.opusFormat, payload.payloadType)],
    payload.telephoneEvent ? [payload.telephoneEvent] : [],
  );
  const bundled = offer.mid !== undefined && offer.bundle.includes(offer.mid);
  const idle = offer.sections.filter((section) => bundled && mayIdle(offer, section, payload.payloadType));
  const accepted = (section: SectionLine, way: Direction): MediaDescription => ({
    ...audioSection(local, formats, way, "passive", section.mid, offer.rtcpReducedSize),
    protocol: section.protocol,
  });
  const media = offer.sections.map((section) => {
    if (section === audio) return accepted(section, direction);
    return idle.includes(section) ? accepted(section, "inactive") : refusedSection(section);
  });
  const mids = offer.sections.filter((section) => section === audio || idle.includes(section));
  const bundle = bundled ? mids.map(({ mid }) => mid).join(" ") : undefined;
  const sdp = writeDescription({ origin, address: local.address, iceLite: true, bundle, media });
  return { ok: true, sdp, remote: remoteOf(offer, payload, direction) };
}

/**
 * Another audio m-line in the BUNDLE of the one that counts: it is kept without sound. A refusal would stop it for good,
 * though it may name the transport they share (RFC 8843 7.3) or be the one that counts after the next retrieve.
 */
function mayIdle(offer: BrowserDescription, section: SectionLine, payloadType: number): boolean {
  const audio = offer.sections[offer.audioIndex];
  return (
    section !== audio &&
    section.type === audio?.type &&
    section.protocol === audio.protocol &&
    section.port !== 0 &&
    section.mid !== undefined &&
    offer.bundle.includes(section.mid) &&
    section.formats.includes(String(payloadType))
  );
}

/** Offers a call to a browser: our codecs in our order, the browser chooses and becomes DTLS client. */
export function offerBrowser({
  local,
  codecs,
  direction,
  origin,
  telephoneEvent,
  opusFormat,
}: BrowserPreference): MadeOffer {
  const offered = codecs.map((codec) => ownCodec(codec, opusFormat));
  const telephoneEvents = telephoneEvent === false ? [] : eventsFor(codecs);
  const formats = describeFormats(offered, telephoneEvents);
  const media = [audioSection(local, formats, direction, "actpass", "0", true)];
  const sdp = writeDescription({ origin, address: local.address, iceLite: true, bundle: "0", media });
  return { sdp, offer: { codecs: offered, telephoneEvents, direction } };
}

/**
 * Judges a browser's answer to our offer: it must be the DTLS client and have chosen what we offered. Browsers keep our
 * numbers (RFC 8829 5.3.1); other clients may renumber as SIP Server may, see `chosenPayload`.
 */
export function acceptBrowserAnswer(
  offer: OfferInfo,
  answerSdp: string,
): SdpResult<{ readonly remote: BrowserRemote; readonly description: BrowserDescription }> {
  const parsed = parseBrowserDescription(answerSdp);
  if (!parsed.ok) return parsed;
  const { description } = parsed;
  if (description.audioIndex !== 0 || description.sections.length !== 1)
    return notAcceptable("answer has other m-lines than the offer");
  if (description.setup !== "active") return notAcceptable(`answer has a=setup:${description.setup}`);
  const payload = chosenPayload(offer, description);
  if (!payload) return notAcceptable("answer has none of the codecs offered");
  const direction = intersectDirections(offer.direction, reverseDirection(description.direction));
  return { ok: true, remote: remoteOf(description, payload, direction), description };
}

function eventsFor(codecs: readonly CodecName[]): OfferedTelephoneEvent[] {
  return ownEvents.filter(({ clockRate }) => clockRate === 8000 || codecs.includes("opus"));
}

function remoteOf(
  { iceUfrag, icePwd, fingerprints, rtcpReducedSize }: BrowserDescription,
  payload: Payload,
  direction: Direction,
): BrowserRemote {
  return { iceUfrag, icePwd, fingerprints, payload, direction, rtcpReducedSize };
}

function audioSection(
  local: BrowserLocal,
  formats: Pick<MediaDescription, "payloads" | "rtp" | "fmtp">,
  direction: Direction,
  setup: "actpass" | "passive",
  mid: string | undefined,
  rtcpReducedSize: boolean,
): MediaDescription {
  const { address, port, fingerprint } = local;
  // No a=ssrc: with it, Chromium 156 gives a track that was held no more sound to Web Audio and recorders after the
  // retrieve (measured; without it all is heard). BUNDLE with a single m-line needs none (RFC 8843 9.2).
  const ours = { msid: [{ id: streamId, appdata: trackId }] };
  return {
    type: "audio",
    port,
    protocol: "UDP/TLS/RTP/SAVPF",
    ...formats,
    ptime: packetTimeMs,
    direction,
    iceUfrag: local.iceUfrag,
    icePwd: local.icePwd,
    fingerprint: { type: fingerprint.algorithm, hash: fingerprint.value },
    setup,
    ...(mid === undefined ? {} : { mid }),
    rtcpMux: "rtcp-mux",
    ...(rtcpReducedSize ? { rtcpRsize: "rtcp-rsize" as const } : {}),
    candidates: [address, ...(local.otherAddresses ?? [])].map((ip, index) => ({
      foundation: String(index + 1),
      component: 1,
      transport: "udp",
      priority: hostPriority - index * localPreferenceStep,
      ip,
      port,
      type: "host",
    })),
    endOfCandidates: "end-of-candidates",
    // RFC 8829 5.2.1: the stream is named only where we send.
    ...(sends(direction) ? ours : {}),
  };
}
