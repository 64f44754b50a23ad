import { createRequest } from "../message/index.ts";
import type { SipRequest, SipResponse } from "../message/types.ts";

const maxForwards = "70";

/** Headers ACK and CANCEL take over from the request they follow, in this order, all values of each. */
function followUp(request: SipRequest, method: "ACK" | "CANCEL", to: string): SipRequest {
  const { headers } = request;
  const lines: [string, string][] = [["Via", headers.get("Via") ?? ""]];
  for (const route of headers.getAll("Route")) lines.push(["Route", route]);
  lines.push(
    ["Max-Forwards", maxForwards],
    ["From", headers.get("From") ?? ""],
    ["To", to],
    ["Call-ID", request.callId],
    ["CSeq", `${request.cseq.sequence} ${method}`],
  );
  return createRequest({ method, uri: request.uri.raw, headers: lines });
}

/** ACK for a non-2xx: the INVITE's own Via and the To of the response (RFC 3261 17.1.1.3). */
export function ackForFailure(invite: SipRequest, response: SipResponse): SipRequest {
  return followUp(invite, "ACK", response.headers.get("To") ?? "");
}

/** CANCEL for `invite` (RFC 3261 9.1), with a Reason header when there is something to say (RFC 3326). */
export function cancelFor(invite: SipRequest, reason?: string): SipRequest {
  const cancel = followUp(invite, "CANCEL", invite.headers.get("To") ?? "");
  if (reason !== undefined) cancel.headers.set("Reason", reason);
  return cancel;
}
