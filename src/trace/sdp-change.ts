import type { MessageEntry, TraceEntry } from "./contract.ts";
import { sdpParts } from "./words.ts";

/**
 * What an SDP says that the one before it in the same direction of the same side did not, in words, by entry: `hold:
 * sendrecv -> sendonly`, `moved to 192.0.2.31:8002`, `ICE restart`. Nothing for the first one, and for repetitions.
 */
export function sdpChanges(entries: readonly TraceEntry[]): ReadonlyMap<MessageEntry, string> {
  const last = new Map<string, MessageEntry>();
  const changes = new Map<MessageEntry, string>();
  for (const entry of entries) {
    if (entry.kind !== "sip" || sdpParts(entry) === undefined) continue;
    const lane = `${entry.side} ${entry.direction}`;
    const before = last.get(lane);
    last.set(lane, entry);
    const words = before && changeWords(before, entry);
    if (words) changes.set(entry, words);
  }
  return changes;
}

function changeWords(before: MessageEntry, now: MessageEntry): string | undefined {
  const [was, is] = [sdpParts(before), sdpParts(now)];
  if (!was || !is) return undefined;
  const words: string[] = [];
  if (was.direction !== is.direction) {
    const [less, more] = [sending(was.direction), sending(is.direction)];
    const what = less === more ? "direction" : less > more ? "hold" : "retrieve";
    words.push(`${what}: ${was.direction} -> ${is.direction}`);
  }
  if (was.place !== is.place) words.push(`moved to ${is.place}`);
  if (was.codecs !== is.codecs) words.push(`codecs: ${was.codecs} -> ${is.codecs}`);
  if (was.ufrag !== is.ufrag) words.push("ICE restart");
  if (was.fingerprint !== is.fingerprint) words.push("another DTLS certificate");
  return words.length === 0 ? undefined : words.join(", ");
}

/** Ways that run. */
function sending(direction: string): number {
  return direction === "sendrecv" ? 2 : direction === "inactive" ? 0 : 1;
}
