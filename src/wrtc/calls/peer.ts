/** Longest peer name, characters: it goes into a header and comes back in a URL. */
const maximumPeer = 256;

/**
 * A number or address as a client's peer: never empty, ASCII without what would break a raw URL, and read again as the
 * same number when the client calls it (wrtc-http-protocol.md 3.1).
 */
export function peerOf(number: string): string {
  const escaped = encodeURIComponent(number.trim().toWellFormed()).replaceAll(
    /%(2B|40|3A|3B|3D|24|2C|2F|3F)/g,
    (_all, code: string) => String.fromCodePoint(parseInt(code, 16)),
  );
  return escaped === "" || escaped.length > maximumPeer ? "anonymous" : escaped;
}
