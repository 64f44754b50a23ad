import { fieldOf } from "./fields.ts";

/** A SIP Server of `sipServer.addresses`, or one by another name. */
export interface SipServerName {
  readonly host: string;
  /** Undefined: any. */
  readonly port?: number | undefined;
}

/** Business Continuity has two: a preferred SIP Server and its peer. */
const mostEntries = 8;
const longestShown = 100;

/**
 * Why the body of RegisterDn is not taken, in words for the log; undefined: it is. `addresses` and `users` stand beside each
 * other (wwe-endpoint-and-gws-api.md A2); every address is to be a SIP Server of ours, every user the token's DN.
 */
export function registerDnFault(
  body: unknown,
  dn: string,
  servers: readonly SipServerName[],
): string | undefined {
  const addresses = textsOf(fieldOf(body, "addresses"));
  const users = textsOf(fieldOf(body, "users"));
  if (!addresses || !users) return "addresses and users are not two lists of texts";
  if (addresses.length !== users.length) return "addresses and users are not of the same length";
  const stranger = users.find((user) => user !== dn);
  if (stranger !== undefined) return `user ${shown(stranger)} is not the token's DN`;
  const unknown = addresses.find((address) => !servers.some((server) => isNamed(server, address)));
  return unknown === undefined
    ? undefined
    : `${shown(unknown)} is in neither sipServer.addresses nor endpoint.sipServerNames`;
}

function textsOf(value: unknown): string[] | undefined {
  if (!Array.isArray(value) || value.length < 1 || value.length > mostEntries) return undefined;
  const texts = value.map((entry: unknown) => (typeof entry === "number" ? String(entry) : entry));
  return texts.every((entry) => typeof entry === "string") ? texts : undefined;
}

/** Where WWE says no port it means 5060 (RFC 3261 19.1.2). */
function isNamed({ host, port }: SipServerName, address: string): boolean {
  const [, name = "", digits] = /^([^:]{1,253})(?::(\d{1,5}))?$/.exec(address.trim()) ?? [];
  if (name.toLowerCase() !== host.toLowerCase()) return false;
  return port === undefined || Number(digits ?? "5060") === port;
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, longestShown));
}
