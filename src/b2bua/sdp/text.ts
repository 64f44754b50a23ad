import { parse, type MediaDescription, type SessionDescription } from "sdp-transform";
import type { RemoteOrigin, SdpRefusal, SectionLine } from "./types.ts";

/** Checked before anything is parsed. Chromium's audio offer has 1.7 kB in 45 lines, one with video 8 kB in 250. */
export const sdpLimits = {
  bytes: 32_768,
  lines: 600,
  /** Characters of one line. */
  lineLength: 1024,
  /** m-lines. */
  sections: 16,
} as const;

/** A whole description, syntax only. */
export interface SdpText {
  readonly origin: RemoteOrigin;
  readonly session: SessionDescription;
  readonly sections: readonly SdpSection[];
  /** `a=fingerprint` lines above the first m-line. */
  readonly fingerprints: readonly string[];
}

/** One m-line and what stands under it. */
export interface SdpSection extends SectionLine {
  readonly attributes: MediaDescription;
  /** All `a=fingerprint` values; the library keeps only the last one. */
  readonly fingerprints: readonly string[];
  /** All `a=crypto` values, whole; the library cuts them. */
  readonly cryptos: readonly string[];
}

/**
 * The attributes we read. No other line reaches the library: candidates, header extensions and the like are of no
 * use to us, and some of the library's patterns for them take time that grows with the square of a line's length.
 */
const readAttributes = new Set([
  "rtpmap",
  "fmtp",
  "ptime",
  "maxptime",
  "sendrecv",
  "sendonly",
  "recvonly",
  "inactive",
  "ice-ufrag",
  "ice-pwd",
  "ice-lite",
  "setup",
  "mid",
  "rtcp",
  "rtcp-mux",
  "rtcp-rsize",
  "group",
  "bundle-only",
]);

/** A refusal of text that is no SDP. */
export function malformed(reason: string): SdpRefusal {
  return { ok: false, status: 400, reason };
}

/** A refusal of sound SDP that we cannot serve. */
export function notAcceptable(reason: string): SdpRefusal {
  return { ok: false, status: 488, reason };
}

/** Splits a description into origin, session part and sections. Never throws. RFC 8866 5, read leniently. */
export function readSdpText(sdp: string): SdpText | SdpRefusal {
  const lines = limitedLines(sdp);
  if (!Array.isArray(lines)) return lines;
  if (lines[0] !== "v=0") return malformed("SDP does not begin with v=0");
  const mediaLines: Omit<SectionLine, "mid">[] = [];
  const fingerprints: string[][] = [[]];
  const cryptos: string[][] = [[]];
  const kept: string[] = [];
  let origin: RemoteOrigin | undefined;
  for (const line of lines) {
    const type = line[0];
    const value = line.slice(2);
    if (type === "o") origin ??= readOrigin(value);
    else if (type === "m") {
      const mediaLine = readMediaLine(value);
      if (!mediaLine) return malformed(`SDP has a broken m-line: ${value.slice(0, 60)}`);
      if (mediaLines.push(mediaLine) > sdpLimits.sections) return malformed("SDP has too many m-lines");
      fingerprints.push([]);
      cryptos.push([]);
      kept.push(`m=${mediaLine.type} ${mediaLine.port} ${mediaLine.protocol} ${mediaLine.formats.join(" ")}`);
    } else if (type === "c") kept.push(line);
    else if (type === "a") {
      const name = /^[^:\s]*/.exec(value)?.[0] ?? "";
      if (name === "fingerprint") fingerprints.at(-1)?.push(value.slice(name.length + 1));
      else if (name === "crypto") cryptos.at(-1)?.push(value.slice(name.length + 1));
      else if (readAttributes.has(name)) kept.push(line);
    }
  }
  if (!origin) return malformed("SDP has no usable o= line");
  const session = parse(kept.join("\r\n"));
  const sections = mediaLines.map((mediaLine, index): SdpSection => {
    const attributes = session.media[index] ?? emptySection;
    const mid = textOf(attributes.mid);
    return {
      ...mediaLine,
      mid,
      attributes,
      fingerprints: fingerprints[index + 1] ?? [],
      cryptos: cryptos[index + 1] ?? [],
    };
  });
  return { origin, session, sections, fingerprints: fingerprints[0] ?? [] };
}

const emptySection: MediaDescription = { type: "", port: 0, protocol: "", rtp: [], fmtp: [] };

function limitedLines(sdp: string): string[] | SdpRefusal {
  if (sdp.length > sdpLimits.bytes || Buffer.byteLength(sdp) > sdpLimits.bytes)
    return malformed(`SDP is longer than ${sdpLimits.bytes} bytes`);
  const lines = sdp.split(/\r\n|\n|\r/, sdpLimits.lines + 2);
  while (lines.length > 0 && lines.at(-1)?.trim() === "") lines.pop();
  if (lines.length === 0) return malformed("SDP is empty");
  if (lines.length > sdpLimits.lines) return malformed(`SDP has more than ${sdpLimits.lines} lines`);
  for (const [index, line] of lines.entries()) {
    if (line.length > sdpLimits.lineLength) return malformed(`SDP line ${index + 1} is too long`);
    if (!/^[a-z]=/.test(line) || line.includes("\0"))
      return malformed(`SDP line ${index + 1} is no type=value`);
  }
  return lines.map((line) => line.trimEnd());
}

/** `o=<username> <sess-id> <sess-version> IN IP4 <address>`; ids are not checked to be numbers, we only compare. */
function readOrigin(value: string): RemoteOrigin | undefined {
  const [sessionId, version, , , address] = value.split(/ +/).slice(-5);
  return sessionId && version && address ? { sessionId, version, address } : undefined;
}

/** `m=<media> <port>[/<count>] <proto> <fmt> ...` */
function readMediaLine(value: string): Omit<SectionLine, "mid"> | undefined {
  const match = /^([\w.-]{1,32}) +(\d{1,5})(?:\/\d{1,5})? +([\w./-]{1,64}) +(\S.*)$/.exec(value);
  if (!match) return undefined;
  const [, type = "", port = "", protocol = "", formats = ""] = match;
  const number = Number(port);
  return number > 65_535 ? undefined : { type, port: number, protocol, formats: formats.split(/ +/) };
}

/** The library turns values that look like numbers into numbers; this gives the text back. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value === "" ? undefined : value;
  return typeof value === "number" ? String(value) : undefined;
}

/** A whole number in `[0, maximum]`, whatever the library made of it, else undefined. */
export function numberOf(value: unknown, maximum: number): number | undefined {
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) && number >= 0 && number <= maximum
    ? number
    : undefined;
}
