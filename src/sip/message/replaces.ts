import { readParameters } from "./parameters.ts";
import { trimBlanks } from "./text.ts";

/** A dialog as Replaces names it (RFC 3891): `toTag` is the tag of whoever receives the INVITE. */
export interface Replaces {
  readonly callId: string;
  readonly toTag: string;
  readonly fromTag: string;
  /** The dialog may be replaced only while it is early. */
  readonly earlyOnly: boolean;
}

/** Characters no Call-ID has (RFC 3261 25.1): they would begin something else. */
const noCallId = /[\s,;]/;

/** Takes a Replaces value apart (RFC 3891 6.1); undefined when it has no Call-ID, or not exactly one of each tag. */
export function parseReplaces(value: string): Replaces | undefined {
  const text = trimBlanks(value);
  const semicolon = text.indexOf(";");
  if (semicolon <= 0) return undefined;
  const callId = trimBlanks(text.slice(0, semicolon));
  const parameters = readParameters(text, semicolon, false);
  if (callId === "" || noCallId.test(callId) || !parameters) return undefined;
  const toTag = parameters.get("to-tag");
  const fromTag = parameters.get("from-tag");
  // Of a repeated parameter the first would count here and the last elsewhere.
  const once = text.match(/;\s*(?:to|from)-tag\s*=/gi)?.length === 2;
  if (!toTag || !fromTag || !once) return undefined;
  return { callId, toTag, fromTag, earlyOnly: parameters.has("early-only") };
}

/** Writes a Replaces value. */
export function replacesValue({ callId, toTag, fromTag, earlyOnly }: Replaces): string {
  return `${callId};to-tag=${toTag};from-tag=${fromTag}${earlyOnly ? ";early-only" : ""}`;
}
