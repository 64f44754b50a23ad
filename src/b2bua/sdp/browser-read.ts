import { sends, type Fingerprint } from "../../media/index.ts";
import { readAudio } from "./audio-read.ts";
import { malformed, notAcceptable, readSdpText, textOf } from "./text.ts";
import type { SdpSection, SdpText } from "./text.ts";
import type { BrowserDescription, SdpRefusal, SdpResult, SetupRole } from "./types.ts";

const protocols = new Set(["UDP/TLS/RTP/SAVPF", "RTP/SAVPF"]);

/** Octets of the hash functions a certificate may be pinned with. SHA-1, MD5 and MD2 are too weak to be taken. */
const hashOctets: Readonly<Record<string, number>> = { "sha-256": 32, "sha-384": 48, "sha-512": 64 };

/**
 * Takes a browser's offer or answer apart: of the audio m-lines that are DTLS-SRTP and not refused the first that sends,
 * else the first. Never throws.
 * RFC 8829 (JSEP), RFC 8839 (ICE), RFC 8842 (DTLS), RFC 5761 (rtcp-mux is required).
 */
export function parseBrowserDescription(
  sdp: string,
): SdpResult<{ readonly description: BrowserDescription }> {
  const text = readSdpText(sdp);
  if ("ok" in text) return text;
  const audioIndex = audioThatCounts(text);
  const section = text.sections[audioIndex];
  if (!section) return notAcceptable("no audio m-line with UDP/TLS/RTP/SAVPF");
  if (text.session.icelite) return notAcceptable("both sides are ICE-lite");
  if (section.attributes.rtcpMux === undefined) return notAcceptable("no a=rtcp-mux");
  const security = readSecurity(text, section);
  if ("ok" in security) return security;
  return {
    ok: true,
    description: {
      ...readAudio(text, section, audioIndex, true),
      mid: section.mid,
      bundle: bundleOf(text),
      rtcpReducedSize: section.attributes.rtcpRsize !== undefined,
      ...security,
    },
  };
}

/** A client that exchanged its microphone has two (wrtc-http-protocol.md 2.1): the old one only receives. -1: none. */
function audioThatCounts({ session, sections }: SdpText): number {
  const sending = sections.findIndex(
    (section) => isUsable(section) && sends(section.attributes.direction ?? session.direction ?? "sendrecv"),
  );
  return sending >= 0 ? sending : sections.findIndex(isUsable);
}

/** Port 0 refuses a section, unless it stands there only because the section is bundled (RFC 8843 6). */
function isUsable({ type, port, protocol, attributes }: SdpSection): boolean {
  const present = port !== 0 || attributes.bundleOnly !== undefined;
  return type.toLowerCase() === "audio" && protocols.has(protocol.toUpperCase()) && present;
}

type Security = Pick<BrowserDescription, "iceUfrag" | "icePwd" | "fingerprints" | "setup">;

/** ICE and DTLS parameters of the section, else of the session, else of the section it is bundled with. */
function readSecurity(text: SdpText, section: SdpSection): Security | SdpRefusal {
  const tagged = text.sections[0];
  const levels = [section.attributes, text.session, tagged?.attributes];
  const first = (name: "iceUfrag" | "icePwd" | "setup"): string | undefined =>
    levels.map((level) => textOf(level?.[name])).find(Boolean);
  const iceUfrag = first("iceUfrag");
  if (iceUfrag === undefined) return notAcceptable("no a=ice-ufrag");
  const icePwd = first("icePwd") ?? "";
  if (!/^[\w+/=-]{4,256}$/.test(iceUfrag) || !/^[\w+/=-]{0,256}$/.test(icePwd))
    return malformed("broken a=ice-ufrag or a=ice-pwd");
  const setup = (first("setup") ?? "actpass").toLowerCase();
  if (!isSetupRole(setup)) return malformed(`unknown a=setup:${setup.slice(0, 20)}`);
  const lines = [section.fingerprints, text.fingerprints, tagged?.fingerprints ?? []].find(
    (list) => list.length > 0,
  );
  if (!lines) return notAcceptable("no a=fingerprint");
  const fingerprints = readFingerprints(lines);
  if (!fingerprints) return malformed("broken a=fingerprint");
  if (fingerprints.length === 0) return notAcceptable("no a=fingerprint with a hash function of SHA-2");
  return { iceUfrag, icePwd, fingerprints, setup };
}

function isSetupRole(setup: string): setup is SetupRole {
  return setup === "actpass" || setup === "active" || setup === "passive";
}

/** Undefined when one of the known kind is broken; unknown kinds are passed over (RFC 8122 5). */
function readFingerprints(lines: readonly string[]): Fingerprint[] | undefined {
  const fingerprints: Fingerprint[] = [];
  for (const line of lines) {
    const [algorithm = "", value = ""] = line.trim().split(/ +/);
    const octets = hashOctets[algorithm.toLowerCase()];
    if (octets === undefined) continue;
    if (!/^[0-9a-f]{2}(:[0-9a-f]{2})*$/i.test(value) || value.length !== octets * 3 - 1) return undefined;
    fingerprints.push({ algorithm: algorithm.toLowerCase(), value: value.toUpperCase() });
  }
  return fingerprints;
}

function bundleOf({ session }: SdpText): string[] {
  const group = session.groups?.find(({ type }) => type.toUpperCase() === "BUNDLE");
  return textOf(group?.mids)?.trim().split(/ +/) ?? [];
}
