/** One thing the network told about a call beside its number. */
export interface CallerDatum {
  readonly label: string;
  readonly value: string;
}

/** A header line; names are compared without case. */
export type HeaderLine = readonly [name: string, value: string];

/** What is shown first, in the order a person reads it; other headers `X-...` follow under their own names. */
const HEADERS: readonly (readonly [header: string, label: string])[] = [
  ["p-asserted-identity", "Identity"],
  ["diversion", "Diverted from"],
  ["history-info", "History"],
  ["user-to-user", "User data"],
  ["call-info", "Call info"],
  ["alert-info", "Alert info"],
  ["subject", "Subject"],
];
/** Of no use to the agent, but to whoever looks for the call: shown last. */
const CALL_UUID = ["x-genesys-calluuid", "Call UUID"] as const;

const LONGEST = 200;
const MOST_ROWS = 40;
/** Headers of the gateway's own, which say nothing of the caller. */
const OWN = "x-jackfield-";

/** Lines of a JsSIP message, whose `headers` its types leave out. */
export function headerLines(message: object): HeaderLine[] {
  const headers: unknown = Reflect.get(message, "headers");
  if (typeof headers !== "object" || headers === null) return [];
  // Ours are no data of the call; one is the right to take it over.
  const ofTheCall = Object.entries(headers).filter(([name]) => !/^x-jackfield-/i.test(name));
  return ofTheCall.flatMap(([name, entries]: [string, unknown]) =>
    (Array.isArray(entries) ? entries : []).flatMap((entry: unknown): HeaderLine[] => {
      const raw: unknown =
        typeof entry === "object" && entry !== null ? Reflect.get(entry, "raw") : undefined;
      return typeof raw === "string" ? [[name, raw]] : [];
    }),
  );
}

/** A header's value in a JsSIP message. */
export function headerOf(message: object, name: string): string | undefined {
  const getHeader: unknown = Reflect.get(message, "getHeader");
  const value: unknown =
    typeof getHeader === "function" ? Reflect.apply(getHeader, message, [name]) : undefined;
  return typeof value === "string" ? value : undefined;
}

/** `lines` with what `changed` says: each of its names replaces all former lines of that name. */
export function withChanges(lines: readonly HeaderLine[], changed: readonly HeaderLine[]): HeaderLine[] {
  const names = new Set(changed.map(([name]) => name.toLowerCase()));
  return [...lines.filter(([name]) => !names.has(name.toLowerCase())), ...changed];
}

/** User parts of UUI are hex (RFC 7433), perhaps after a protocol discriminator: text where they hold readable text. */
function readable(value: string): string {
  const hex = /^(?:0[04](?=(?:[0-9a-f]{2})+(?:;|$)))?((?:[0-9a-f]{2})+)(?=\s*;|$)/i.exec(value)?.[1];
  if (hex === undefined) return value;
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const text = new TextDecoder().decode(bytes);
  return /^[\p{L}\p{N}\p{P}\p{S}\p{Zs}]+$/u.test(text) && !text.includes("\ufffd") ? text : value;
}

/** `"Ann Lee" <sip:1003@host>` as `Ann Lee (1003)`; what is no such address as it is. */
function plainAddress(value: string): string {
  const [, quoted, bare, number] =
    /^\s*(?:"((?:[^"\\]|\\.)*)"|([^"<]*))\s*<(?:sips?|tel):([^@;>]+)(?:@[^;>]*)?>\s*$/i.exec(value) ?? [];
  if (number === undefined) return value;
  const name = (quoted?.replaceAll(/\\(.)/g, "$1") ?? bare ?? "").trim();
  return name === "" || name === number ? number : `${name} (${number})`;
}

function datum(label: string, value: string): CallerDatum[] {
  const text = value.trim();
  return text === "" ? [] : [{ label, value: text.slice(0, LONGEST) }];
}

/** What header lines say of a call, each value cut to a length that can be shown; it is text and never markup. */
export function callerData(lines: readonly HeaderLine[]): CallerDatum[] {
  const named = ([header, label]: readonly [string, string]): CallerDatum[] =>
    lines
      .filter(([name]) => name.toLowerCase() === header)
      .flatMap(([, value]) =>
        datum(label, header === "user-to-user" ? readable(value) : plainAddress(value)),
      );
  const others = lines.flatMap(([name, value]) => {
    const lower = name.toLowerCase();
    if (!lower.startsWith("x-") || lower.startsWith(OWN) || lower === CALL_UUID[0]) return [];
    return datum(name.replace(/^x-(?:genesys-)?/i, ""), value);
  });
  const uuid = named(CALL_UUID);
  return [...[...HEADERS.flatMap(named), ...others].slice(0, MOST_ROWS - uuid.length), ...uuid];
}

/** Who P-Asserted-Identity says is at the other end: `Ann Lee (1003)` or `1003`; undefined when it says nobody. */
export function assertedPeer(lines: readonly HeaderLine[]): string | undefined {
  const value = lines.find(([name]) => name.toLowerCase() === "p-asserted-identity")?.[1] ?? "";
  const number = /(?:sips?|tel):([^@;>,\s]+)/i.exec(value)?.[1];
  const name = /^\s*"((?:[^"\\]|\\.)*)"\s*</.exec(value)?.[1]?.replaceAll(/\\(.)/g, "$1").trim();
  if (number === undefined) return undefined;
  return (name && name !== number ? `${name} (${number})` : number).slice(0, LONGEST);
}

/**
 * Who calls. The number is what From says, unless From withholds it; a name may stand in P-Asserted-Identity alone
 * (RFC 3325), which SIP Server answers for.
 */
export function callerOf(lines: readonly HeaderLine[], from: { name: string; number: string }): string {
  const { name, number } = from;
  const asserted = assertedPeer(lines);
  const named = name !== "" && name !== number ? `${name} (${number})` : undefined;
  if (asserted === undefined) return named ?? number;
  if (number.toLowerCase() === "anonymous") return asserted;
  return named ?? (asserted.endsWith(`(${number})`) ? asserted : number);
}
