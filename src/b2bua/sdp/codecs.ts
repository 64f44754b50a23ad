import type { CodecName, Payload } from "../../media/index.ts";
import type { SdpSection } from "./text.ts";
import { numberOf, textOf } from "./text.ts";
import { opusFormats } from "./opus-format.ts";
import type { OfferedCodec, OfferedTelephoneEvent, OfferInfo } from "./types.ts";

/** Encoding names of the codecs we have, with the clock rate and channels that RFC 3551 6 and RFC 7587 7 fix. */
const codecsByEncoding: Readonly<Record<string, CodecName>> = {
  "pcmu/8000": "pcmu",
  "pcma/8000": "pcma",
  "g722/8000": "g722",
  "opus/48000/2": "opus",
};

/** Payload types that need no rtpmap (RFC 3551 6). */
const staticTypes: ReadonlyMap<number, CodecName> = new Map([
  [0, "pcmu"],
  [8, "pcma"],
  [9, "g722"],
]);

const encodings: Readonly<Record<CodecName, { encoding: string; rate: number; channels?: number }>> = {
  pcmu: { encoding: "PCMU", rate: 8000 },
  pcma: { encoding: "PCMA", rate: 8000 },
  g722: { encoding: "G722", rate: 8000 },
  opus: { encoding: "opus", rate: 48_000, channels: 2 },
};

/** Payload types we use in our own offers; dynamic ones as browsers and SIP phones mostly have them. */
const ownPayloadTypes: Readonly<Record<CodecName, number>> = {
  pcmu: 0,
  pcma: 8,
  g722: 9,
  opus: 111,
};

/** A codec by the number of our own offers, without telephone-events. */
export function ownPayload(codec: CodecName): Payload {
  return { codec, payloadType: ownPayloadTypes[codec] };
}

/** Milliseconds of sound in one packet as our own descriptions ask for it, both sides. */
export const packetTimeMs = 20;

/**
 * Codecs and telephone-events of an m-line in its order; names without case, static types also without rtpmap
 * (genesys-sip-server.md 4). `muxed`: 64-95 would be taken for RTCP (RFC 5761 4) and are passed over.
 */
export function readCodecs(
  section: SdpSection,
  muxed: boolean,
): { codecs: OfferedCodec[]; telephoneEvents: OfferedTelephoneEvent[] } {
  const codecs: OfferedCodec[] = [];
  const telephoneEvents: OfferedTelephoneEvent[] = [];
  const names = encodingNames(section);
  const seen = new Set<number>();
  for (const format of section.formats) {
    const payloadType = numberOf(format, 127);
    if (payloadType === undefined || seen.has(payloadType)) continue;
    seen.add(payloadType);
    if (muxed && payloadType >= 64 && payloadType <= 95) continue;
    const name = names.get(payloadType);
    const codec = name === undefined ? staticTypes.get(payloadType) : codecsByEncoding[name];
    if (codec) codecs.push({ codec, payloadType, fmtp: formatOf(section, payloadType) });
    else if (name === "telephone-event/8000") telephoneEvents.push({ payloadType, clockRate: 8000 });
    else if (name === "telephone-event/48000") telephoneEvents.push({ payloadType, clockRate: 48_000 });
  }
  return { codecs, telephoneEvents };
}

/** Payload type to `name/rate`, or `name/rate/channels` where channels are not 1, in lower case. */
function encodingNames(section: SdpSection): Map<number, string> {
  const names = new Map<number, string>();
  for (const { payload, codec, rate, encoding } of section.attributes.rtp) {
    const payloadType = numberOf(payload, 127);
    const name = textOf(codec)?.toLowerCase();
    if (payloadType === undefined || name === undefined) continue;
    const channels = textOf(encoding);
    const suffix = channels === undefined || channels === "1" ? "" : `/${channels}`;
    names.set(payloadType, `${name}/${textOf(rate) ?? "8000"}${suffix}`);
  }
  return names;
}

function formatOf(section: SdpSection, payloadType: number): string {
  const line = section.attributes.fmtp.find(({ payload }) => numberOf(payload, 127) === payloadType);
  return textOf(line?.config) ?? "";
}

/**
 * One codec, the first of `preference` that `offered` has, with the telephone-event that goes with it: for G.711
 * only 8000 (events share the codec's clock, RFC 4733 2.4.1), for Opus 48000 if there, else 8000.
 */
export function choosePayload(
  preference: readonly CodecName[],
  offered: readonly OfferedCodec[],
  events: readonly OfferedTelephoneEvent[],
): Payload | undefined {
  for (const codec of preference) {
    const found = offered.find((entry) => entry.codec === codec);
    if (!found) continue;
    const telephoneEvent = eventFor(codec, events);
    const payload = { codec, payloadType: found.payloadType };
    return telephoneEvent ? { ...payload, telephoneEvent } : payload;
  }
  return undefined;
}

function eventFor(
  codec: CodecName,
  events: readonly OfferedTelephoneEvent[],
): OfferedTelephoneEvent | undefined {
  const rates = codec === "opus" ? [48_000, 8000] : [8000];
  for (const rate of rates) {
    const found = events.find(({ clockRate }) => clockRate === rate);
    if (found) return found;
  }
  return undefined;
}

/** The `rtp` and `fmtp` entries of our own m-line, and its format list, for these codecs and events. */
export function describeFormats(
  codecs: readonly OfferedCodec[],
  events: readonly OfferedTelephoneEvent[],
): { payloads: string; rtp: RtpLine[]; fmtp: { payload: number; config: string }[] } {
  const rtp: RtpLine[] = [];
  const fmtp: { payload: number; config: string }[] = [];
  for (const { codec, payloadType, fmtp: config } of codecs) {
    const { encoding, rate, channels } = encodings[codec];
    rtp.push({ payload: payloadType, codec: encoding, rate, ...(channels ? { encoding: channels } : {}) });
    if (config) fmtp.push({ payload: payloadType, config });
  }
  for (const { payloadType, clockRate } of events) {
    rtp.push({ payload: payloadType, codec: "telephone-event", rate: clockRate });
    // Events 0-15: the digits, `*`, `#` and A-D (RFC 4733 3.2).
    fmtp.push({ payload: payloadType, config: "0-15" });
  }
  const payloads = [...codecs, ...events].map(({ payloadType }) => payloadType).join(" ");
  return { payloads, rtp, fmtp };
}

interface RtpLine {
  payload: number;
  codec: string;
  rate: number;
  encoding?: number;
}

/** A codec as our own SDP lists it; `opusFormat` as in `Preference`. */
export function ownCodec(
  codec: CodecName,
  opusFormat = opusFormats.pcmu,
  payloadType = ownPayloadTypes[codec],
): OfferedCodec {
  return { codec, payloadType, fmtp: codec === "opus" ? opusFormat : "" };
}

/**
 * What an answer chose of our offer: its first codec that we offered. Its numbers are those it wants to receive, ours
 * those we receive (RFC 3264 5.1, 6.1): where they differ the payload names both.
 */
export function chosenPayload(
  offer: OfferInfo,
  answer: {
    readonly codecs: readonly OfferedCodec[];
    readonly telephoneEvents: readonly OfferedTelephoneEvent[];
  },
): Payload | undefined {
  const chosen = answer.codecs.find(({ codec }) => offer.codecs.some((entry) => entry.codec === codec));
  const events = answer.telephoneEvents.filter(({ clockRate }) =>
    offer.telephoneEvents.some((entry) => entry.clockRate === clockRate),
  );
  const payload = chosen && choosePayload([chosen.codec], [chosen], events);
  if (!payload) return undefined;
  const otherLaw = otherLawOf(payload.codec, offer, answer.codecs);
  return { ...withReceived(payload, offer), ...(otherLaw ? { otherLaw } : {}) };
}

/**
 * An answer that takes both laws lets its side send either, with our numbers (RFC 3264 6.1). Of other codecs it took too
 * we hear nothing: we send the first, and equipment sends what it hears.
 */
function otherLawOf(
  chosen: CodecName,
  offer: OfferInfo,
  answered: readonly OfferedCodec[],
): Payload["otherLaw"] {
  const codec = chosen === "pcmu" ? "pcma" : chosen === "pcma" ? "pcmu" : undefined;
  const ours = offer.codecs.find((entry) => entry.codec === codec);
  const taken = answered.some((entry) => entry.codec === codec);
  return codec && ours && taken ? { codec, payloadType: ours.payloadType } : undefined;
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
