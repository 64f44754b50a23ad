import type { Problem } from "../../shared/words.ts";
import type { Messages, Quality } from "./gateway-events.ts";

/** It would end the call. */
export const SIGN_IN_BESIDE_CALL = "There is a call. End it before somebody signs in anew.";

/** Others write what is looked up here: `constructor` is no known phrase, though every object has one. */
function phrases<T = string>(known: Readonly<Record<string, T>>): ReadonlyMap<string, T> {
  return new Map(Object.entries(known));
}

const SIGN_IN: Readonly<Record<number, Problem>> = {
  401: { what: "Wrong number or password.", remedy: "Check both and sign in again." },
  // So as not to tell strangers which numbers there are, the gateway says the same to an unknown number.
  403: { what: "Wrong number or password.", remedy: "Check both and sign in again." },
  404: { what: "The gateway does not know this number.", remedy: "Check it, or ask for it to be added." },
  429: { what: "Too many attempts.", remedy: "Wait a minute and sign in again." },
  503: { what: "The gateway takes no more sign-ins just now.", remedy: "Trying again by itself." },
};

/** What the gateway's registrar says beside 403 where it is not the password. */
const FORBIDDEN = phrases<Problem>({
  "Too Many Failed Logins": {
    what: "Too many failed sign-ins.",
    remedy: "Wait a few minutes and sign in again.",
  },
  "Sign-In Expired": {
    what: "Your sign-in has expired.",
    remedy: "Get a new token or link, or sign in with number and password.",
  },
  "Signed Out By Administrator": {
    what: "An administrator has signed you out.",
    remedy: "Sign in again to take calls.",
  },
  "Replaced By A Newer Sign-In": {
    what: "This number has signed in at another place.",
    remedy: "Sign in again to use it here.",
  },
  "Signed In Elsewhere": {
    what: "This number is signed in at another place.",
    remedy: "Sign out there, then sign in here.",
  },
});

/**
 * Sign-in refused or unanswered.
 * @param status the response's code, 0 without a response
 * @param phrase what the response said after its code
 */
export function signInProblem(status: number, phrase = ""): Problem {
  const known = (status === 403 && FORBIDDEN.get(phrase)) || SIGN_IN[status === 407 ? 401 : status];
  if (known !== undefined) return known;
  if (status === 0)
    return { what: "The gateway did not answer the sign-in.", remedy: "Trying again by itself." };
  return { what: `The gateway refused the sign-in (${status}).`, remedy: "Trying again by itself." };
}

/** True when another try with the same number and password would only be refused again. */
export function isFinal(status: number): boolean {
  return [401, 403, 404, 407].includes(status);
}

const CALL: Readonly<Record<number, string>> = {
  403: "This call is not allowed.",
  404: "There is no such number.",
  408: "Nobody answered.",
  410: "This number is no longer in use.",
  480: "Not available: nobody is signed in there, or your own number is not in service at SIP Server yet.",
  481: "The call that this page had before is over.",
  482: "The call went round in a circle.",
  484: "The number is incomplete.",
  486: "Busy.",
  487: "The call was cancelled.",
  488: "The two ends have no sound format in common.",
  500: "The gateway or SIP Server met an error.",
  503: "No line is free, or SIP Server cannot be reached. Try again in a moment.",
  504: "SIP Server did not answer.",
  600: "Busy.",
  603: "The call was declined.",
};

/** What the gateway gives as its reason when an administrator hangs up. */
const ENDED_BY_OPERATOR = "ended by operator";

/** What the gateway says beside 403 when it is the page that may not call, and not this number that may not be called. */
const NOT_ALLOWED = phrases({
  "Register First":
    "This page is signed in no more: its number has signed in at another place. Sign out and in again to use it here.",
});

const CAUSES = phrases({
  "Connection Error": "The connection to the gateway was lost.",
  "Request Timeout": "The gateway did not answer.",
  "User Denied Media Access": "The microphone is blocked.",
  "WebRTC Error": "The browser could not set up the sound.",
  "Bad Media Description": "The browser could not understand the sound the other end offered.",
  "No Answer": "Not answered in time.",
  "No ACK": "The other end did not confirm the call.",
  "Internal Error": "The browser could not set up the call.",
  "RTP Timeout": "No sound arrived any more.",
});

/**
 * Why a call ended, in words; undefined when it ended as calls do (hung up, or given up before the answer).
 * @param cause JsSIP's cause
 * @param status code of the response that ended it, 0 when there was none
 * @param phrase what the response said after its code
 */
export function callProblem(cause: string, status: number, phrase = ""): string | undefined {
  if (cause === "Terminated" || cause === "Canceled" || status === 487) return undefined;
  const raw = status === 0 ? "" : ` (${`${status} ${phrase}`.trim()})`;
  if (phrase === ENDED_BY_OPERATOR) return `An administrator ended this call.${raw}`;
  if (status === 503 && phrase === "Being Drained")
    return `The gateway takes no new calls just now: it is being drained.${raw}`;
  const known = (status === 403 && NOT_ALLOWED.get(phrase)) || CALL[status] || CAUSES.get(cause);
  return `${known ?? `The call failed: ${cause}.`}${raw}`;
}

const TRANSFER: Readonly<Record<number, string>> = {
  0: "The gateway did not answer.",
  405: "SIP Server takes no transfers from here.",
  408: "Nobody answered there.",
  481: "One of the two calls is over.",
  487: "The call ended meanwhile.",
  491: "Another transfer of this call is under way.",
};

/** Why a call was not transferred. @param status of the NOTIFY or the response, 0 without one */
export function transferProblem(status: number, phrase: string): string {
  const raw = status === 0 ? "" : ` (${`${status} ${phrase}`.trim()})`;
  return `${TRANSFER[status] ?? CALL[status] ?? "SIP Server refused it."}${raw}`;
}

/**
 * What the Reason of a BYE says went wrong at the far side (RFC 3326), as of a call that SIP Server set up for the agent and
 * nobody took; undefined without one, and where a call just ended.
 */
export function byeProblem(reason: string): string | undefined {
  const status = Number(/^SIP\s*;.*?\bcause\s*=\s*([3-6]\d\d)\b/i.exec(reason)?.[1] ?? 0);
  const text = /;\s*text\s*=\s*"([^"]*)"/i.exec(reason)?.[1];
  return status === 0 ? undefined : callProblem("SIP Failure Code", status, text);
}

/** Whether the Reason of a CANCEL says that another phone took the call (RFC 3326: `SIP;cause=200;text="Call completed elsewhere"`). */
export function isCompletedElsewhere(reason: string): boolean {
  return /(?:^|,)\s*SIP\s*;[^,]*?\bcause\s*=\s*200\b/i.test(reason);
}

/** Messages that wait, e.g. `2 new, 8 old`. */
export function messagesText({ waiting, fresh, old }: Messages): string {
  if (fresh === undefined || old === undefined) return waiting ? "waiting" : "none";
  return `${fresh} new, ${old} old`;
}

/** How a call sounds, e.g. `Quality 4.3 (round trip 12 ms, loss 0 %)`; empty while nothing is known. */
export function qualityText(quality: Quality | undefined): string {
  if (quality === undefined) return "";
  const { mos, roundTripMs, lossPercent } = quality;
  const parts = [
    roundTripMs === undefined ? [] : [`round trip ${Math.round(roundTripMs)} ms`],
    lossPercent === undefined ? [] : [`loss ${Number(lossPercent.toFixed(1))} %`],
  ].flat();
  return `Quality ${mos.toFixed(1)}${parts.length > 0 ? ` (${parts.join(", ")})` : ""}`;
}
