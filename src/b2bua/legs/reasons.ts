import type { HeaderPair, SessionEnd, SessionFailure, SipResponse } from "../../sip/index.ts";
import type { LegEnd } from "./agent-leg.ts";

/**
 * What SIP Server hears when the agent's client refused or failed. Codes that speak of the agent pass; those that
 * speak of our own inner link (403, 404, 5xx ...) become 480, so that SIP Server never takes the DN for unknown.
 */
const towardSipServer: Readonly<Record<number, number>> = {
  480: 480,
  486: 486,
  488: 488,
  600: 486,
  603: 603,
  606: 488,
};

/** See `towardSipServer`. */
export function statusForSipServer(status: number): number {
  return towardSipServer[status] ?? 480;
}

/**
 * What the browser hears when SIP Server refused its call. A challenge we could not answer and redirections are our
 * affair: the agent can do nothing with them.
 */
export function statusForBrowser(status: number): number {
  if (status === 401 || status === 407) return 503;
  if (status < 400) return 480;
  return status;
}

/** Longest Reason handed on, characters: a BYE that grows beyond a datagram may never arrive. */
const maximumReason = 256;

/** Header lines that hand a reason on (RFC 3326): the far side's own where it gave one. */
export function reasonHeaders(end: LegEnd): HeaderPair[] {
  const { header } = end;
  if (header !== undefined && header.length <= maximumReason) return [["Reason", header]];
  if (end.status === 200) return [];
  return [["Reason", reasonValue(end)]];
}

/** Header lines of a final refusal: the reason, and when to come again (RFC 3261 20.33). */
export function refusalHeaders(end: LegEnd): HeaderPair[] {
  const headers = reasonHeaders(end);
  if (end.retryAfterSeconds !== undefined) headers.push(["Retry-After", String(end.retryAfterSeconds)]);
  return headers;
}

/** Retry-After of a refusal (RFC 3261 20.33), seconds, at most a day; undefined without one. */
export function retryAfterOf(response: SipResponse | undefined): number | undefined {
  const seconds = /^\d{1,9}/.exec(response?.headers.get("Retry-After") ?? "")?.[0];
  return seconds === undefined ? undefined : Math.min(Number(seconds), 86_400);
}

/** The Reason of a CANCEL. */
export function cancelReason(end: LegEnd): string {
  return reasonHeaders(end)[0]?.[1] ?? reasonValue(end);
}

/** `SIP;cause=480;text="..."`. */
function reasonValue({ status, reason }: LegEnd): string {
  const text = reason.slice(0, maximumReason).replaceAll(/["\\\r\n]/g, "'");
  return `SIP;cause=${status};text="${text}"`;
}

/** The end of a leg that never came up; `who` begins the words. */
export function endOfFailure(failure: SessionFailure, who: string): LegEnd {
  return {
    status: failure.status,
    reason: `${who}: ${failure.status} ${failure.reason}`,
    ...(failure.header === undefined ? {} : { header: failure.header }),
  };
}

/** The end of an established leg; `who` begins the words. */
export function endOfSession(end: SessionEnd, who: string): LegEnd {
  return {
    status: end.lost ? 480 : 200,
    reason: `${who}: ${end.reason}`,
    ...(end.header === undefined ? {} : { header: end.header }),
  };
}
