import type { HeaderPair, SipRequest, SipResponse } from "../../sip/index.ts";
import type { CallerData } from "./agent-leg.ts";
import { withoutAutoAnswer } from "../clients/auto-answer.ts";
import { fitsWildcard } from "../clients/wildcard.ts";

/** Enough for user data, small enough that no INVITE to a browser grows without bound. */
const maximumHeaders = 32;
/** Longest value and all values together, characters; a value that is too long is left out, for half of it may mislead. */
const maximumValue = 4096;
const maximumTotal = 16_384;

/**
 * What SIP stacks act on: never data, whatever the list says. Each has its own meaning on the browser's dialog, which
 * only we give it.
 */
const neverShown = new Set(
  [
    "Via, From, To, Call-ID, CSeq, Contact, Max-Forwards, Route, Record-Route, Path, Service-Route",
    "Require, Proxy-Require, Supported, Unsupported, Allow, Allow-Events, Accept, Accept-Encoding, Accept-Language",
    "Content-Type, Content-Length, Content-Encoding, Content-Disposition, Content-Language, MIME-Version",
    "Expires, Min-Expires, Session-Expires, Min-SE, RSeq, RAck, Event, Subscription-State, Refer-To, Refer-Sub",
    "Referred-By, Replaces, Join, Target-Dialog, Authorization, Proxy-Authorization, WWW-Authenticate",
    "Proxy-Authenticate, Authentication-Info, Answer-Mode, Priv-Answer-Mode, P-Auto-Answer, Reason, Retry-After",
    "Accept-Contact, Reject-Contact, Request-Disposition, Privacy, User-Agent, Server",
  ]
    .join(", ")
    .toLowerCase()
    .split(", "),
);

/** Display name in quotes with a space behind it, empty for none; what would end the quotes is replaced. */
export function quotedName(name: string | undefined): string {
  return name === undefined ? "" : `"${name.replaceAll(/["\\\r\n]/g, "'")}" `;
}

/** What of a message the page may read; `allowed`: names, `*` stands for anything. */
export function headersToPage(message: SipRequest | SipResponse, allowed: readonly string[]): HeaderPair[] {
  const shown: HeaderPair[] = [];
  let total = 0;
  for (const [name, value] of message.headers.entries()) {
    if (shown.length === maximumHeaders) break;
    if (value.length > maximumValue || !mayBeShown(name, allowed)) continue;
    const harmless = withoutAutoAnswer(name, value);
    if (harmless === undefined || total + harmless.length > maximumTotal) continue;
    total += harmless.length;
    shown.push([name, harmless]);
  }
  return shown;
}

function mayBeShown(name: string, allowed: readonly string[]): boolean {
  const lower = name.toLowerCase();
  // Events of our own are told by names that no peer may use.
  if (neverShown.has(lower) || lower.startsWith("x-jackfield-")) return false;
  return allowed.some((pattern) => fitsWildcard(pattern, lower));
}

/** Reads what the page may know of the caller from an INVITE. */
export function callerDataOf(request: SipRequest, allowed: readonly string[]): CallerData {
  const { uri, displayName } = request.from;
  return { number: uri.user ?? "anonymous", displayName, headers: headersToPage(request, allowed) };
}

const callUuidKey = "x-genesys-calluuid";

/** The data of one call as it changes: which lines of a message are new. */
export class CallData {
  readonly #allowed: readonly string[];
  readonly #known = new Map<string, string>();

  constructor(allowed: readonly string[]) {
    this.#allowed = allowed;
  }

  /**
   * Takes a message in: what of it the page may read, and the lines of every header that says something else than
   * before. A header that is missing has not changed: SIP Server repeats few of them.
   */
  note(message: SipRequest | SipResponse): { shown: HeaderPair[]; changed: HeaderPair[] } {
    const byName = new Map<string, HeaderPair[]>();
    const shown = headersToPage(message, this.#allowed);
    for (const line of shown) {
      const key = line[0].toLowerCase();
      byName.set(key, [...(byName.get(key) ?? []), line]);
    }
    const changed: HeaderPair[] = [];
    for (const [key, lines] of byName) {
      const text = lines.map(([, value]) => value).join("\n");
      if (this.#known.get(key) === text || (!this.#known.has(key) && this.#known.size >= maximumHeaders))
        continue;
      this.#known.set(key, text);
      // Told by itself: `CallNotice.callUuid`.
      if (key === callUuidKey) continue;
      changed.push(...lines);
    }
    return { shown, changed };
  }
}
