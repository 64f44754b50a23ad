import type { Candidate } from "./messages.ts";

/** Offers are told without `UDP/TLS/` (wrtc-http-protocol.md 2.1). */
export function withoutTls(sdp: string): string {
  return sdp.replaceAll("UDP/TLS/RTP/SAVPF", "RTP/SAVPF");
}

/** Video is limited, and the first RTX payload loses its description while its number stays in the m-line. */
export function videoTweaks(sdp: string): string {
  const at = sdp.indexOf("m=video");
  if (at < 0) return sdp;
  const rtx = /a=rtpmap:(\d+) rtx\/90000/.exec(sdp.slice(at))?.[1];
  const lines = sdp.slice(at).split("\r\n");
  const kept = lines.filter(
    (line) => rtx === undefined || !new RegExp(`^a=(rtpmap|fmtp):${rtx} `).test(line),
  );
  const limited = kept.flatMap((line) => (line.startsWith("c=") ? [line, "b=AS:500"] : [line]));
  return sdp.slice(0, at) + limited.join("\r\n");
}

/** Of a re-offer's own SDP: repeated with `a=` before them, and `sdpMid` that names no mid but the kind of media. */
export function inlineCandidates(sdp: string): readonly Candidate[] {
  const found: Candidate[] = [];
  let kind = "";
  let index = -1;
  for (const line of sdp.split("\r\n")) {
    const media = /^m=(\w+)/.exec(line)?.[1];
    if (media !== undefined) {
      kind = media;
      index++;
    }
    if (line.startsWith("a=candidate:"))
      found.push({ candidate: `${line}\r\n`, sdpMid: kind, sdpMLineIndex: index });
  }
  return found;
}

/** All m-lines that are not declined say `inactive`. */
export function isInactive(sdp: string): boolean {
  const sections = sdp.split(/^m=/m).slice(1);
  const open = sections.filter((section) => !/^\w+ 0 /.test(section));
  return open.length > 0 && open.every((section) => /^a=inactive\r?$/m.test(section));
}
