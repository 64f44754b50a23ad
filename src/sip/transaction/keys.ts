import type { SipRequest, Via } from "../message/types.ts";
import type { Flow } from "../transport/flow.ts";
import { branchCookie, canonicalSentBy } from "./via.ts";

/** No value that passed the parser contains a line end, so joined parts cannot be mistaken for one another. */
const join = (...parts: readonly unknown[]): string => parts.join("\n");

/** Browsers, SIP Server's connections and datagrams are worlds apart: no message meets a transaction of another. */
const world = (flow: Flow): string => (flow.reliable ? flow.side : "datagram");

/** Key made of branch, sent-by and method; undefined without the magic cookie in the branch. */
export function branchKey(via: Via, flow: Flow, method: string): string | undefined {
  const branch = via.branch ?? "";
  if (branch.length <= branchCookie.length || !branch.startsWith(branchCookie)) return undefined;
  return join(world(flow), branch, canonicalSentBy(via.host, via.port), method);
}

/**
 * Key of the server transaction a request belongs to (RFC 3261 17.2.3): branch, sent-by and method; for a client
 * without the magic cookie Request-URI, tags, Call-ID, CSeq and top Via. ACK and CANCEL look for `INVITE`.
 * Must be taken before `stampTopVia`.
 */
export function serverKey(request: SipRequest, flow: Flow, method: string = request.method): string {
  const via = request.topVia;
  const byBranch = branchKey(via, flow, method);
  if (byBranch !== undefined) return byBranch;
  // INVITE's To tag differs from its ACK's, and its CANCEL may have none: left out for the three.
  const toTag = method === "INVITE" ? "" : request.to.tag;
  const { sequence } = request.cseq;
  return join(
    world(flow),
    "RFC 2543",
    method,
    request.uri.raw,
    request.from.tag,
    toTag,
    request.callId,
    sequence,
    via.raw,
  );
}

/**
 * Key by which two copies of a request outside a dialog are known as one (RFC 3261 8.2.2.2); undefined for
 * requests the rule does not cover.
 */
export function mergeKey(request: SipRequest, flow: Flow): string | undefined {
  if (request.to.tag !== undefined || request.from.tag === undefined) return undefined;
  const scope = flow.reliable ? flow.id : "datagram";
  const { sequence, method } = request.cseq;
  return join(scope, request.from.tag, request.callId, sequence, method);
}

/** Key of the client transaction a response belongs to (RFC 3261 17.1.3). */
export function clientKey(branch: string, method: string): string {
  return join(branch, method);
}
