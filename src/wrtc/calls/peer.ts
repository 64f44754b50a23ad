/** Longest peer name, characters: it goes into a header and comes back in a URL. */
const maximumPeer = 256;

/** What may stand in a raw URL as it is and is common in numbers and addresses. */
const kept: Readonly<Record<string, string>> = { "%2B": "+", "%40": "@", "%3A": ":" };

/**
 * A number or address as a client's peer: never empty, ASCII without what would break a raw URL, and read again as the
 * same number when the client calls it (wrtc-http-protocol.md 3.1).
 */
export function peerOf(number: string): string {
  const escaped = encodeURIComponent(number.trim().toWellFormed()).replaceAll(
    /%2B|%40|%3A/g,
    (sign) => kept[sign] ?? sign,
  );
  return escaped === "" || escaped.length > maximumPeer ? "anonymous" : escaped;
}
