import { createRequest } from "../message/index.ts";
import type { HeaderPair } from "../dialog/index.ts";
import type { DigestClient, DigestCredentials } from "../digest/index.ts";
import type { SipRequest, SipResponse } from "../message/types.ts";
import type { ClientHandlers, ClientTransaction, TransactionLayer } from "../transaction/types.ts";
import type { Flow } from "../transport/flow.ts";

/** What answers a challenge of the peer's. */
export interface Authentication {
  readonly client: DigestClient;
  readonly credentials: DigestCredentials;
}

/** A request on its way, whichever of its transactions is the live one. */
export interface PendingRequest {
  cancel(reason?: string): void;
}

/** A second challenge after a correct answer means stale or wrong: one more try, then the 401 stands. */
const maximumAttempts = 3;

/**
 * Sends a request and answers 401 and 407 with digest credentials (RFC 3261 22.2: same Call-ID, next CSeq).
 * `nextSequence` gives the CSeq number of a repeat, so that a dialog's own count stays right.
 */
export function sendAuthenticated(
  transactions: TransactionLayer,
  request: SipRequest,
  flow: Flow,
  handlers: ClientHandlers & { onRepeat?: (request: SipRequest) => void },
  authentication: Authentication | undefined,
  nextSequence: () => number,
): PendingRequest {
  let attempts = 0;
  let cancelled = false;
  let transaction: ClientTransaction;
  const send = (attempt: SipRequest): void => {
    attempts++;
    transaction = transactions.request(attempt, flow, {
      onResponse(response) {
        const repeat = mayRepeat(response) ? authorised(attempt, response) : undefined;
        if (!repeat) return handlers.onResponse(response);
        handlers.onRepeat?.(repeat);
        send(repeat);
      },
      onTimeout: () => handlers.onTimeout(),
      onTransportError: (error) => handlers.onTransportError(error),
    });
  };
  const mayRepeat = (response: SipResponse): boolean =>
    // A challenge that crossed our CANCEL is the end: repeated, the request would ring on with nobody there.
    !cancelled && (response.status === 401 || response.status === 407) && attempts < maximumAttempts;
  const authorised = (attempt: SipRequest, response: SipResponse): SipRequest | undefined => {
    if (!authentication) return undefined;
    const { method, uri, body } = attempt;
    const refused = attempt.headers.get(response.status === 401 ? "Authorization" : "Proxy-Authorization");
    const target = { method, uri: uri.raw, body, ...(refused === undefined ? {} : { refused }) };
    const header = authentication.client.answer(response, target, authentication.credentials);
    if (!header) return undefined;
    return repeatOf(attempt, nextSequence(), [[header.name, header.value]]);
  };
  send(request);
  return {
    cancel(reason) {
      cancelled = true;
      transaction.cancel(reason);
    },
  };
}

/** The same request once more with the next CSeq number and `replaced` in place of the header lines so named. */
export function repeatOf(
  request: SipRequest,
  sequence: number,
  replaced: readonly HeaderPair[],
  dropped: readonly string[] = [],
): SipRequest {
  const { method, uri, body } = request;
  const gone = ["via", "cseq", "content-length", ...dropped, ...replaced.map(([name]) => name.toLowerCase())];
  const kept = [...request.headers.entries()].filter(([name]) => !gone.includes(name.toLowerCase()));
  const headers = [...kept, ["CSeq", `${sequence} ${method}`] as const, ...replaced];
  return createRequest({ method, uri: uri.raw, headers, body });
}
