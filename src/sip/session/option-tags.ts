import { createResponse } from "../message/index.ts";
import type { SipRequest, SipResponse } from "../message/types.ts";
import type { ServerTransaction } from "../transaction/types.ts";
import type { HeaderPair } from "../dialog/index.ts";
import { readMinSe, readSessionExpires } from "./session-expires.ts";
import type { SessionTerms } from "./types.ts";

/** Whether the list header `name` (Supported, Require, Allow) names `token`, in any case. */
export function names(message: SipRequest | SipResponse, name: string, token: string): boolean {
  return message.headers.values(name).some((value) => value.toLowerCase() === token.toLowerCase());
}

/** Tags of Require that are not among `supported` (RFC 3261 8.2.2.3), as the peer wrote them. */
export function unsupportedOptions(request: SipRequest, supported: readonly string[]): string[] {
  return request.headers.values("Require").filter((tag) => !supported.includes(tag.toLowerCase()));
}

/** What a request is refused with for what it asks for: 420 (RFC 3261 8.2.2.3), 422 (RFC 4028 9). */
export interface TermsRefusal {
  readonly status: 420 | 422;
  readonly headers: readonly HeaderPair[];
}

/**
 * Looks at what a request asks for, before anything is done about it. ACK and CANCEL are never refused so (RFC 3261
 * 8.2.2.3), nor is BYE: a hang-up that failed would leave a call that one side takes for ended.
 */
export function refusalByTerms(
  request: SipRequest,
  { options, timer }: SessionTerms,
): TermsRefusal | undefined {
  if (request.method === "BYE") return undefined;
  const unsupported = unsupportedOptions(request, options);
  if (unsupported.length > 0) return { status: 420, headers: [["Unsupported", unsupported.join(", ")]] };
  if (!timer || (request.method !== "INVITE" && request.method !== "UPDATE")) return undefined;
  const asked = readSessionExpires(request);
  // Who does not know session timers does not know 422 either: a proxy on the way put the header in.
  if (!asked || asked.seconds >= timer.minSeconds || !names(request, "Supported", "timer")) return undefined;
  const minimum = Math.max(timer.minSeconds, readMinSe(request));
  return { status: 422, headers: [["Min-SE", String(minimum)]] };
}

/** Refuses a request outside any dialog by its terms; true when it was refused. */
export function refuseByTerms(
  request: SipRequest,
  transaction: ServerTransaction,
  terms: SessionTerms,
): boolean {
  const refusal = refusalByTerms(request, terms);
  if (refusal) transaction.respond(createResponse(request, refusal.status, { headers: refusal.headers }));
  return refusal !== undefined;
}
