import { isIPv4 } from "node:net";
import { readAudio } from "./audio-read.ts";
import { readCryptoLines, type TrunkSrtpPolicy } from "./trunk-srtp.ts";
import { malformed, notAcceptable, numberOf, readSdpText, textOf } from "./text.ts";
import type { SdpSection, SdpText } from "./text.ts";
import type { SdpRefusal, SdpResult, TrunkDescription } from "./types.ts";

const plainProtocols = new Set(["RTP/AVP", "RTP/AVPF"]);
const secureProtocols = new Set(["RTP/SAVP", "RTP/SAVPF"]);

/**
 * Takes an offer or answer of SIP Server's apart: the first audio m-line of plain RTP or, where `srtp` takes it, of
 * SRTP with keys we can use, which goes first; one with a port before one without. Lenient as genesys-sip-server.md 4
 * and 12 ask. Never throws.
 */
export function parseTrunkDescription(
  sdp: string,
  srtp: TrunkSrtpPolicy = "off",
): SdpResult<{ readonly description: TrunkDescription }> {
  const text = readSdpText(sdp);
  if ("ok" in text) return text;
  const audioIndex = chooseSection(text.sections, srtp);
  const section = text.sections[audioIndex];
  if (!section)
    return notAcceptable(
      srtp === "require" ? "no audio m-line with RTP/SAVP and a usable key" : "no audio m-line with RTP/AVP",
    );
  const address = readAddress(text, section);
  if (typeof address !== "string") return address;
  return {
    ok: true,
    description: {
      ...readAudio(text, section, audioIndex, false),
      address,
      port: section.port,
      rtcp: readRtcp(section, address),
      held: address === "0.0.0.0" || section.port === 0,
      crypto: isSecure(section) ? readCryptoLines(section.cryptos) : [],
    },
  };
}

function isSecure(section: SdpSection): boolean {
  return secureProtocols.has(section.protocol.toUpperCase());
}

/** -1 when there is none. */
function chooseSection(sections: readonly SdpSection[], srtp: TrunkSrtpPolicy): number {
  const isPlain = ({ protocol }: SdpSection): boolean => plainProtocols.has(protocol.toUpperCase());
  const isUsable = (section: SdpSection): boolean =>
    isSecure(section) && readCryptoLines(section.cryptos).length > 0;
  const kinds = {
    off: [isPlain],
    accept: [isUsable, isPlain],
    offer: [isUsable, isPlain],
    require: [isUsable],
  }[srtp];
  for (const port of [true, false])
    for (const fits of kinds) {
      const index = sections.findIndex(
        (section) => section.type.toLowerCase() === "audio" && (section.port !== 0) === port && fits(section),
      );
      if (index >= 0) return index;
    }
  return -1;
}

/** Address of the section's `c=` line, else of the session's. */
function readAddress({ session }: SdpText, section: SdpSection): string | SdpRefusal {
  const connection = section.attributes.connection ?? session.connection;
  const address = textOf(connection?.ip);
  if (address === undefined) return malformed("SDP has no usable c= line");
  if (!isIPv4(address)) return notAcceptable(`c= has no IPv4 address: ${address.slice(0, 60)}`);
  const first = Number(address.split(".")[0]);
  // 224/4 is multicast, 240/4 reserved and broadcast: one packet in would become many out.
  return first >= 224 ? notAcceptable(`c= is no unicast address: ${address}`) : address;
}

/** `a=rtcp` where it says something else than the default. A port equal to RTP's is the offer to mux; we never do. */
function readRtcp(section: SdpSection, address: string): TrunkDescription["rtcp"] {
  const port = numberOf(section.attributes.rtcp?.port, 65_535);
  if (port === undefined || port === 0 || port === section.port) return undefined;
  const named = textOf(section.attributes.rtcp?.address);
  const rtcpAddress = named !== undefined && isIPv4(named) && named !== "0.0.0.0" ? named : address;
  return port === section.port + 1 && rtcpAddress === address ? undefined : { address: rtcpAddress, port };
}
