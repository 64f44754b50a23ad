import type { HeaderPair, SipRequest } from "../sip/index.ts";
import type { CallerData } from "./agent-leg.ts";

/** Headers of SIP Server's INVITE that the page may read; nothing else crosses (genesys-sip-server.md 5.2). */
const shown = ["P-Asserted-Identity", "Diversion", "History-Info", "User-to-User", "Call-Info", "Alert-Info"];
const shownPrefix = "x-genesys-";
/** Enough for user data, small enough that no INVITE to a browser grows without bound. */
const maximumHeaders = 32;

/** Reads what the page may know of the caller from an INVITE. */
/** Display name in quotes with a space behind it, empty for none; what would end the quotes is replaced. */
export function quotedName(name: string | undefined): string {
  return name === undefined ? "" : `"${name.replaceAll(/["\\\r\n]/g, "'")}" `;
}

export function callerDataOf(request: SipRequest): CallerData {
  const headers: HeaderPair[] = [];
  const wanted = new Set(shown.map((name) => name.toLowerCase()));
  for (const [name, value] of request.headers.entries()) {
    const lower = name.toLowerCase();
    if (headers.length < maximumHeaders && (wanted.has(lower) || lower.startsWith(shownPrefix)))
      headers.push([name, value]);
  }
  const { uri, displayName } = request.from;
  return { number: uri.user ?? "anonymous", displayName, headers };
}
