import type { Random } from "../core/index.ts";
import type { SipResponse, SipUri } from "../sip/index.ts";
import { sameTarget } from "./addresses.ts";

/** What an answer to our REGISTER means (RFC 3261 10.2.7, and what SIP Server is known to answer). */
export type TrunkAnswer =
  | {
      readonly kind: "accepted";
      readonly grantedSeconds: number;
      /** The 200 named our contact. */
      readonly ours: boolean;
      /** Contact of another phone in the 200, where ours should be. */
      readonly foreign: string | undefined;
    }
  | { readonly kind: "challenged" }
  | { readonly kind: "too-brief"; readonly minSeconds: number }
  | { readonly kind: "redirected"; readonly targets: readonly SipUri[] }
  /** Ask the next server, or this one later. */
  | { readonly kind: "unavailable"; readonly retryAfterMs: number | undefined }
  /** Leave the DN alone for a long time. */
  | { readonly kind: "refused" };

/** Longest expiry that a server can talk us into, seconds. */
const maxExpiresSeconds = 86_400;
/** Longest Retry-After that is believed, ms. */
const maxRetryAfterMs = 3_600_000;

/** `asked`: the Expires of our request, seconds. `contact`: the one we registered. */
export function readTrunkAnswer(response: SipResponse, contact: SipUri, asked: number): TrunkAnswer {
  const { status, headers } = response;
  if (status < 300) return readAccepted(response, contact, asked);
  if (status < 400) return { kind: "redirected", targets: response.contacts.map((value) => value.uri) };
  switch (status) {
    case 401:
    case 407:
      return { kind: "challenged" };
    case 423: {
      const minSeconds = seconds(headers.get("Min-Expires"));
      const usable = minSeconds !== undefined && minSeconds > asked && minSeconds <= maxExpiresSeconds;
      return usable ? { kind: "too-brief", minSeconds } : { kind: "refused" };
    }
    case 408:
    case 480:
      return { kind: "unavailable", retryAfterMs: retryAfter(response) };
    default:
      return status >= 500 && status < 600
        ? { kind: "unavailable", retryAfterMs: retryAfter(response) }
        : { kind: "refused" };
  }
}

function readAccepted(response: SipResponse, contact: SipUri, asked: number): TrunkAnswer {
  const { contacts, headers } = response;
  const own = contacts.find((value) => sameTarget(value.uri, contact));
  // Granted time from Contact;expires=, then Expires, then what we asked for.
  const granted = seconds(own?.parameters.get("expires")) ?? seconds(headers.get("Expires")) ?? asked;
  return {
    kind: "accepted",
    grantedSeconds: Math.min(granted, maxExpiresSeconds),
    ours: own !== undefined,
    foreign: own === undefined ? contacts[0]?.uri.raw : undefined,
  };
}

/** Retry-After in ms: `18000;duration=3600`, `120 (comment)`. */
function retryAfter(response: SipResponse): number | undefined {
  const value = seconds(response.headers.get("Retry-After")?.match(/^\s*(\d+)/)?.[1]);
  return value === undefined ? undefined : Math.min(value * 1000, maxRetryAfterMs);
}

function seconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/**
 * When to refresh, ms after the 200: 75 % +/- 10 % of the granted time so that the DNs spread, never later than
 * 30 s before the end (three tries at 5, 10 and 20 s fit in), never before half of it.
 */
export function refreshDelayMs(grantedSeconds: number, random: Random): number {
  const spread = grantedSeconds * (0.65 + 0.2 * random.fraction());
  return Math.max(Math.min(spread, grantedSeconds - 30), grantedSeconds / 2) * 1000;
}
