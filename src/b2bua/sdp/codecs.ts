import type { CodecName, Payload } from "../../media/index.ts";
import type { SdpSection } from "./text.ts";
import { numberOf, textOf } from "./text.ts";
import type { OfferedCodec, OfferedTelephoneEvent } from "./types.ts";

/** Encoding names of the codecs we have, with the clock rate and channels that RFC 3551 6 and RFC 7587 7 fix. */
const codecsByEncoding: Readonly<Record<string, CodecName>> = {
  "pcmu/8000": "pcmu",
  "pcma/8000": "pcma",
  "opus/48000/2": "opus",
};

/** Payload types that need no rtpmap (RFC 3551 6). */
const staticTypes: ReadonlyMap<number, CodecName> = new Map([
  [0, "pcmu"],
  [8, "pcma"],
]);

const encodings: Readonly<Record<CodecName, { encoding: string; rate: number; channels?: number }>> = {
  pcmu: { encoding: "PCMU", rate: 8000 },
  pcma: { encoding: "PCMA", rate: 8000 },
  opus: { encoding: "opus", rate: 48_000, channels: 2 },
};

/** Payload types we use in our own offers; dynamic ones as browsers and SIP phones mostly have them. */
const ownPayloadTypes: Readonly<Record<CodecName, number>> = { pcmu: 0, pcma: 8, opus: 111 };

/**
 * What we ask of an Opus sender whose far side is G.711 (RFC 7587 6.1): narrow band, mono, 24 kbit/s, in-band FEC.
 * `minptime=10` is what browsers expect to see.
 */
const opusFormat =
  "minptime=10;useinbandfec=1;maxplaybackrate=8000;sprop-maxcapturerate=8000;maxaveragebitrate=24000;stereo=0";

/** Milliseconds of sound in one packet, both sides. */
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

/** A codec as our own SDP lists it. */
export function ownCodec(codec: CodecName, payloadType = ownPayloadTypes[codec]): OfferedCodec {
  return { codec, payloadType, fmtp: codec === "opus" ? opusFormat : "" };
}
