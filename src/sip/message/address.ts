import type { CSeq, NameAddress, Parameters, SipUri, Via } from "./types.ts";
import { readParameters } from "./parameters.ts";
import { endOfQuoted, isBlank, isToken, parseDigits, skipBlanks, trimBlanks, unquote } from "./text.ts";
import { parseHostPort, parseUri } from "./uri.ts";

const none: Parameters = new Map();
const starUri: SipUri = {
  raw: "*",
  scheme: "",
  user: undefined,
  host: "",
  port: undefined,
  parameters: none,
  headers: undefined,
};
const star: NameAddress = {
  raw: "*",
  displayName: undefined,
  uri: starUri,
  parameters: none,
  tag: undefined,
};

/**
 * Takes one From, To, Contact, Refer-To ... value apart (RFC 3261 20.10, 25.1). Without `<>` every parameter is a
 * header parameter and the URI may hold no `?`. Unquoted display names may hold what real ones hold (UTF-8,
 * brackets), but no comma, quote or semicolon. `undefined` when it is no such value.
 */
export function parseNameAddress(raw: string): NameAddress | undefined {
  const text = trimBlanks(raw);
  if (text === "*") return star;
  let displayName: string | undefined;
  let open: number;
  if (text.charCodeAt(0) === 34) {
    const end = endOfQuoted(text, 0);
    if (end < 0) return undefined;
    displayName = unquote(text.slice(0, end));
    open = skipBlanks(text, end);
    if (text.charCodeAt(open) !== 60) return undefined;
  } else {
    open = text.indexOf("<");
    // a bracket behind a semicolon belongs to a parameter of a bare URI
    const semicolon = text.indexOf(";");
    if (open < 0 || (semicolon >= 0 && semicolon < open)) return parseBare(text, semicolon);
    if (open > 0) {
      displayName = trimBlanks(text.slice(0, open));
      if (/[",\\>]/.test(displayName)) return undefined;
      if (displayName.length === 0) displayName = undefined;
    }
  }
  const close = text.indexOf(">", open);
  if (close < 0) return undefined;
  return assemble(text, displayName, text.slice(open + 1, close), close + 1);
}

function parseBare(text: string, semicolon: number): NameAddress | undefined {
  const end = semicolon < 0 ? text.length : semicolon;
  const uri = trimBlanks(text.slice(0, end));
  if (/[?,]/.test(uri)) return undefined;
  return assemble(text, undefined, uri, end);
}

function assemble(
  raw: string,
  displayName: string | undefined,
  uriText: string,
  parametersAt: number,
): NameAddress | undefined {
  const uri = parseUri(uriText);
  if (uri === undefined) return undefined;
  const parameters = parametersAt === raw.length ? none : readParameters(raw, parametersAt, false);
  if (parameters === undefined) return undefined;
  return { raw, displayName, uri, parameters, tag: parameters.get("tag") };
}

/**
 * Takes one Via value apart (RFC 3261 20.42), blanks around `/` and `:` allowed. `lenient`: faulty parameters are
 * skipped, for answering a request whose Via is at fault. `undefined` when protocol, transport or sent-by are not
 * readable.
 */
export function parseVia(raw: string, lenient = false): Via | undefined {
  const text = trimBlanks(raw);
  const semicolon = text.indexOf(";");
  const end = semicolon < 0 ? text.length : semicolon;
  const head = protocolAndSentBy(text.slice(0, end));
  if (head === undefined) return undefined;
  const place = parseHostPort(head.sentBy);
  const parameters = semicolon < 0 ? none : readParameters(text, end, lenient);
  if (place === undefined || parameters === undefined) return undefined;
  const branch = parameters.get("branch");
  return { raw: text, transport: head.transport, host: place.host, port: place.port, parameters, branch };
}

function protocolAndSentBy(head: string): { transport: string; sentBy: string } | undefined {
  const first = head.indexOf("/");
  const second = head.indexOf("/", first + 1);
  if (first < 0 || second < 0) return undefined;
  const name = trimBlanks(head.slice(0, first));
  const version = trimBlanks(head.slice(first + 1, second));
  if (name.toUpperCase() !== "SIP" || !isToken(version)) return undefined;
  const start = skipBlanks(head, second + 1);
  let stop = start;
  while (stop < head.length && head[stop] !== " " && head[stop] !== "\t") stop++;
  const transport = head.slice(start, stop);
  if (!isToken(transport)) return undefined;
  return { transport: transport.toUpperCase(), sentBy: joinPort(trimBlanks(head.slice(stop))) };
}

/** Takes the blanks from around the colon before the port, if there are any (`COLON` of RFC 3261 25.1). */
function joinPort(sentBy: string): string {
  const colon = sentBy.lastIndexOf(":");
  if (colon < 0 || !(isBlank(sentBy.charCodeAt(colon - 1)) || isBlank(sentBy.charCodeAt(colon + 1))))
    return sentBy;
  return `${trimBlanks(sentBy.slice(0, colon))}:${trimBlanks(sentBy.slice(colon + 1))}`;
}

/** Highest CSeq number (RFC 3261 8.1.1.5: less than 2^31). */
const maxSequence = 2 ** 31 - 1;

/** Takes a CSeq value apart; `undefined` when it is none or its number is 2^31 or more. */
export function parseCSeq(value: string): CSeq | undefined {
  let end = 0;
  while (end < value.length && value.charCodeAt(end) >= 48 && value.charCodeAt(end) <= 57) end++;
  const sequence = parseDigits(value.slice(0, end), maxSequence);
  const start = skipBlanks(value, end);
  if (sequence === undefined || start === end) return undefined;
  const method = value.slice(start);
  return isToken(method) ? { sequence, method } : undefined;
}
