/** Entry of `Candidates`, as far as it is believed: its `sdpMid` is wrong in re-offers (2.1). */
interface Candidate {
  readonly line: string;
  readonly media: number;
}

/** Candidates taken of one message; Chromium sends some dozens at most. */
const candidatesTaken = 200;
/** Of one candidate, characters. */
const longestCandidate = 500;
/** m-lines of a description; one with more is refused by who reads it. */
const mediaTaken = 100;

/** An SDP with the entries of `Candidates` in their m-lines, each once. What is no candidate is left out. */
export function mergeCandidates(sdp: string, entries: unknown): string {
  const candidates = Array.isArray(entries) ? entries.slice(0, candidatesTaken).flatMap(readCandidate) : [];
  if (candidates.length === 0) return sdp;
  // What stands before the first m-line is the session's part.
  const [session = "", ...media] = sdp.split(/^(?=m=)/m, mediaTaken + 2);
  if (media.length > mediaTaken) return sdp;
  const lines = Map.groupBy(candidates, (candidate) => candidate.media);
  return [session, ...media.map((part, index) => withCandidates(part, lines.get(index) ?? []))].join("");
}

function withCandidates(part: string, candidates: readonly Candidate[]): string {
  if (candidates.length === 0) return part;
  const there = new Set(part.split(/\r?\n/));
  const missing = Array.from(new Set(candidates.map(({ line }) => line))).filter((line) => !there.has(line));
  if (missing.length === 0) return part;
  return `${part}${part.endsWith("\n") ? "" : "\r\n"}${missing.map((line) => `${line}\r\n`).join("")}`;
}

function readCandidate(entry: unknown): Candidate[] {
  if (typeof entry !== "object" || entry === null) return [];
  const text: unknown = Reflect.get(entry, "candidate");
  const index: unknown = Reflect.get(entry, "sdpMLineIndex");
  // `a=candidate:` in re-offers, `candidate:` in first ones.
  // Trimmed apart: a pattern with blanks at its end tries each of a long row of them.
  const [, value] = (typeof text === "string" && /^(?:a=)?(candidate:[^\r\n]+)$/.exec(text.trimEnd())) || [];
  if (value === undefined || value.length > longestCandidate) return [];
  return [{ line: `a=${value}`, media: typeof index === "number" ? index : 0 }];
}
