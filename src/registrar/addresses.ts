import type { Flow, SipUri } from "../sip/index.ts";

/** Default port of sip URIs without one (RFC 3261 19.1.2). */
const defaultPort = 5060;

/** `192.0.2.10:5060`, or `[2001:db8::1]:5060`. */
export function hostPort(flow: Pick<Flow, "remoteAddress" | "remotePort">): string {
  const { remoteAddress } = flow;
  return `${remoteAddress.includes(":") ? `[${remoteAddress}]` : remoteAddress}:${flow.remotePort}`;
}

/** Whether two URIs lead to the same user at the same place; parameters and escapes do not matter here. */
export function sameTarget(one: SipUri, other: SipUri): boolean {
  return (
    (one.user ?? "") === (other.user ?? "") &&
    one.host.toLowerCase() === other.host.toLowerCase() &&
    (one.port ?? defaultPort) === (other.port ?? defaultPort)
  );
}

/** The server among `flows` that a redirection names; undefined for strangers. */
export function flowNamed(uri: SipUri, flows: readonly Flow[]): Flow | undefined {
  const host = uri.host.replace(/^\[|\]$/g, "").toLowerCase();
  const port = uri.port ?? defaultPort;
  return flows.find((flow) => flow.remoteAddress.toLowerCase() === host && flow.remotePort === port);
}
