/** One thing the network told about an incoming call beside its number. */
export interface CallerDatum {
  readonly label: string;
  readonly value: string;
}

const UUID_LABEL = "Call UUID";

const HEADERS: readonly (readonly [header: string, label: string])[] = [
  ["P-Asserted-Identity", "Identity"],
  ["Diversion", "Diverted from"],
  ["History-Info", "History"],
  ["User-to-User", "User data"],
  ["Call-Info", "Call info"],
  ["Subject", "Subject"],
  ["X-Genesys-CallUUID", UUID_LABEL],
];

const LONGEST = 200;
/** The same data with another call UUID, which SIP Server changes when calls are joined or transferred. */
export function withCallUuid(data: readonly CallerDatum[], value: string): CallerDatum[] {
  const others = data.filter(({ label }) => label !== UUID_LABEL);
  return [...others, { label: UUID_LABEL, value: value.slice(0, LONGEST) }];
}

/** User parts of UUI are hex (RFC 7433 `encoding=hex`): shown as text when they hold readable text. */
function readable(header: string, value: string): string {
  const hex = /^((?:[0-9a-f]{2})+)(?=;|$)/i.exec(value)?.[1];
  if (header !== "User-to-User" || hex === undefined) return value;
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const text = new TextDecoder().decode(bytes);
  return /^[\p{L}\p{N}\p{P}\p{S}\p{Zs}]+$/u.test(text) ? text : value;
}

/** What an INVITE says of its caller, in the order a person reads it, each value cut to a length that can be shown. */
export function callerData(request: { getHeader(name: string): string | undefined }): CallerDatum[] {
  return HEADERS.flatMap(([header, label]) => {
    const value = request.getHeader(header)?.trim();
    return value ? [{ label, value: readable(header, value).slice(0, LONGEST) }] : [];
  });
}
