/** Entry of `Candidates`, as far as it is believed: its `sdpMid` is wrong in re-offers (2.1). */
interface Candidate {
  readonly line: string;
  readonly media: number;
}

/** Candidates taken of one message; Chromium sends some dozens at most. */
const candidatesTaken = 200;

/** An SDP with the entries of `Candidates` in their m-lines, each once. What is no candidate is left out. */
export function mergeCandidates(sdp: string, entries: unknown): string {
  const candidates = Array.isArray(entries) ? entries.slice(0, candidatesTaken).flatMap(readCandidate) : [];
  if (candidates.length === 0) return sdp;
  // What stands before the first m-line is the session's part.
  const [session = "", ...media] = sdp.split(/^(?=m=)/m);
  return [session, ...media.map((part, index) => withCandidates(part, linesOf(candidates, index)))].join("");
}

function linesOf(candidates: readonly Candidate[], index: number): string[] {
  return candidates.filter(({ media }) => media === index).map(({ line }) => line);
}

function withCandidates(part: string, lines: readonly string[]): string {
  const there = new Set(part.split(/\r?\n/));
  const missing = Array.from(new Set(lines)).filter((line) => !there.has(line));
  if (missing.length === 0) return part;
  return `${part}${part.endsWith("\n") ? "" : "\r\n"}${missing.map((line) => `${line}\r\n`).join("")}`;
}

function readCandidate(entry: unknown): Candidate[] {
  if (typeof entry !== "object" || entry === null) return [];
  const text: unknown = Reflect.get(entry, "candidate");
  const index: unknown = Reflect.get(entry, "sdpMLineIndex");
  // `a=candidate:` in re-offers, `candidate:` in first ones.
  const [, value] = (typeof text === "string" && /^(?:a=)?(candidate:[^\r\n]{1,500})\s*$/.exec(text)) || [];
  if (value === undefined) return [];
  return [{ line: `a=${value.trimEnd()}`, media: typeof index === "number" ? index : 0 }];
}
