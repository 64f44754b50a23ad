import type { HeaderList, Via } from "../message/types.ts";
import type { Flow } from "../transport/flow.ts";

/** Start of every branch of an RFC 3261 client; an older client's lacks it (RFC 3261 8.1.1.7). */
export const branchCookie = "z9hG4bK";

const defaultPort = 5060;
const defaultTlsPort = 5061;

/** The Via of a request of ours by `flow`; asks for RFC 3581 where the reply has to find its way by address. */
export function ownVia(flow: Flow, branch: string): string {
  const rport = flow.reliable ? "" : ";rport";
  return `SIP/2.0/${flow.protocol} ${flow.sentBy};branch=${branch}${rport}`;
}

/** Comparable form of a sent-by: lower case, the default port written out. */
export function canonicalSentBy(host: string, port: number | undefined): string {
  return `${host.toLowerCase()}:${port ?? defaultPort}`;
}

/** As `canonicalSentBy`, of the text that stands in a flow's `sentBy`. */
export function canonicalFlowSentBy(flow: Flow): string {
  const match = /^(.*?)(?::(\d+))?$/.exec(flow.sentBy);
  // The lazy group keeps an IPv6 address whole only when it is in brackets, as in a Via it must be.
  const host = match?.[1] ?? flow.sentBy;
  return canonicalSentBy(host, match?.[2] === undefined ? undefined : Number(match[2]));
}

/** Same address written two ways counts as one: brackets, IPv4-mapped IPv6, letter case. */
function bareAddress(address: string): string {
  const bare = address.replace(/^\[|\]$/g, "").toLowerCase();
  return bare.startsWith("::ffff:") && bare.includes(".") ? bare.slice(7) : bare;
}

/**
 * Writes where the request really came from into its top Via (RFC 3261 18.2.1, RFC 3581 4): `rport` only where
 * the client asked, `received` when it asked or when the address differs from the sent-by host. What a client
 * wrote there itself is replaced. `via` is the top one of `headers`.
 */
export function stampTopVia(headers: HeaderList, via: Via, flow: Flow): void {
  const asked = via.parameters.has("rport");
  const address = bareAddress(flow.remoteAddress);
  const differs = bareAddress(via.host) !== address;
  if (!asked && !differs && !via.parameters.has("received")) return;
  let stamped = via.raw;
  if (asked) stamped = replaceParameter(stamped, "rport", `;rport=${flow.remotePort}`);
  stamped = replaceParameter(stamped, "received", "");
  if (asked || differs) stamped += `;received=${address}`;
  const [, ...others] = headers.values("Via");
  headers.set("Via", stamped);
  for (const other of others) headers.add("Via", other);
}

function replaceParameter(via: string, name: string, replacement: string): string {
  const pattern = new RegExp(`\\s*;\\s*${name}\\s*(?:=\\s*[^;\\s]*)?\\s*(?=;|$)`, "gi");
  let done = false;
  return via.replace(pattern, () => {
    if (done) return "";
    done = true;
    return replacement;
  });
}

/**
 * Where the response goes (RFC 3261 18.2.2, RFC 3581 4): back by the connection, and when that is gone to the source
 * address and the port of the sent-by, by another connection; over UDP to the source port when the client asked for
 * `rport`, else again to the port of the sent-by. `maddr` is not followed: it would let a request aim our responses
 * at a third party.
 */
export function replyFlow(flow: Flow, via: Via): Flow {
  if (!flow.toPort || (flow.reliable ? flow.open : via.parameters.has("rport"))) return flow;
  const port = via.port ?? (flow.protocol === "TLS" ? defaultTlsPort : defaultPort);
  return !flow.reliable && port === flow.remotePort ? flow : flow.toPort(port);
}
