/** What of a client's description says which PeerConnection it is of. */
export interface TransportMarks {
  /** `a=ice-ufrag` of the first line that has one. */
  readonly ufrag: string;
  /** Session id of `o=`; a PeerConnection keeps its own for life (RFC 8829 5.2.1). */
  readonly sessionId: string;
  readonly fingerprint: string;
}

/** Reads them as far as they are there. */
export function transportMarks(sdp: string): TransportMarks {
  const first = (pattern: RegExp): string => pattern.exec(sdp)?.[1] ?? "";
  return {
    ufrag: first(/^a=ice-ufrag:(\S{1,256})/m),
    sessionId: first(/^o=\S{1,64} (\S{1,64}) /m),
    fingerprint: first(/^a=fingerprint:(\S{1,16} \S{1,256})/m).toLowerCase(),
  };
}

/**
 * Whether an offer comes from another PeerConnection than before: `setRenewSessionOnNeed` makes one for hold and resume
 * (wrtc-http-protocol.md 2.1). The same one with another ufrag restarts ICE.
 */
export function isRenewed(before: TransportMarks, now: TransportMarks): boolean {
  if (now.ufrag === before.ufrag) return false;
  return now.sessionId !== before.sessionId || now.fingerprint !== before.fingerprint;
}

/** Whether a description is of the same PeerConnection as one before, as far as both say. */
export function isSameConnection(before: TransportMarks, now: TransportMarks): boolean {
  return now.sessionId !== "" && now.sessionId === before.sessionId && now.fingerprint === before.fingerprint;
}

/** m-lines told in a trace. */
const shownLines = 4;

/** `audio sendrecv, video refused`: a description for the trace, which shows no more of it than SIP's ladder does. */
export function sdpInWords(sdp: string): string {
  const [session = "", ...lines] = sdp.slice(0, 32_768).split(/\r?\nm=/);
  const words = lines.slice(0, shownLines).map((line) => {
    const [type = "", port = ""] = line.split(" ", 2);
    const way = directionIn(line) ?? directionIn(session) ?? "sendrecv";
    return `${type.slice(0, 16)} ${port === "0" ? "refused" : way}`;
  });
  return words.join(", ");
}

function directionIn(lines: string): string | undefined {
  return /\r?\na=(sendrecv|sendonly|recvonly|inactive)\r?(?:\n|$)/.exec(lines)?.[1];
}
