import { write, type MediaDescription } from "sdp-transform";
import type { OriginIds, SectionLine } from "./types.ts";

interface OwnDescription {
  readonly origin: OriginIds;
  /** IPv4 of our media, in `o=` and `c=`. */
  readonly address: string;
  readonly iceLite: boolean;
  /** Mids of the BUNDLE group; undefined for none. */
  readonly bundle: string | undefined;
  readonly media: MediaDescription[];
}

/** Our own SDP as text with CRLF line ends. */
export function writeDescription({ origin, address, iceLite, bundle, media }: OwnDescription): string {
  return write({
    version: 0,
    origin: {
      username: "jackfield",
      sessionId: origin.sessionId,
      sessionVersion: origin.version,
      netType: "IN",
      ipVer: 4,
      address,
    },
    name: "-",
    connection: { version: 4, ip: address },
    timing: { start: 0, stop: 0 },
    ...(iceLite ? { icelite: "ice-lite" as const } : {}),
    ...(bundle === undefined ? {} : { groups: [{ type: "BUNDLE", mids: bundle }] }),
    media,
  });
}

/** The m-line that refuses an offered one: same type, protocol and formats, port 0 (RFC 3264 6). */
export function refusedSection({ type, protocol, formats, mid }: SectionLine): MediaDescription {
  return {
    type,
    port: 0,
    protocol,
    payloads: formats.join(" "),
    rtp: [],
    fmtp: [],
    ...(mid === undefined ? {} : { mid }),
  };
}
