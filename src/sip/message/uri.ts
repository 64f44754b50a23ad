import type { Parameters, SipUri } from "./types.ts";
import { isHostName, parseDigits } from "./text.ts";

const none: Parameters = new Map();

/** Something in front of the colon that RFC 3986 3.1 calls a scheme. */
const schemePattern = /^[a-z][a-z0-9+.-]*$/i;

/**
 * Takes a URI apart (RFC 3261 19.1, RFC 3966 for `tel`). Escapes are kept as they are. `undefined` when it is no
 * URI at all, or a sip/sips URI whose host, port or parameters cannot be told for certain.
 */
export function parseUri(raw: string): SipUri | undefined {
  const colon = raw.indexOf(":");
  if (colon <= 0 || colon === raw.length - 1 || !isVisible(raw)) return undefined;
  const scheme = raw.slice(0, colon);
  if (scheme === "sip" || scheme === "sips") return parseSip(raw, scheme, colon + 1);
  if (!schemePattern.test(scheme)) return undefined;
  const lower = scheme.toLowerCase();
  if (lower === "sip" || lower === "sips") return parseSip(raw, lower, colon + 1);
  const semicolon = lower === "tel" ? raw.indexOf(";", colon) : -1;
  const parameters = semicolon < 0 ? none : readUriParameters(raw, semicolon, raw.length);
  return {
    raw,
    scheme: lower,
    user: undefined,
    host: "",
    port: undefined,
    parameters: parameters ?? none,
    headers: undefined,
  };
}

function parseSip(raw: string, scheme: string, start: number): SipUri | undefined {
  const at = raw.indexOf("@", start);
  let user: string | undefined;
  if (at >= 0) {
    const colon = raw.indexOf(":", start);
    user = raw.slice(start, colon >= 0 && colon < at ? colon : at);
    if (user.length === 0) return undefined;
  }
  const hostStart = at < 0 ? start : at + 1;
  const question = raw.indexOf("?", hostStart);
  const beforeHeaders = question < 0 ? raw.length : question;
  const semicolon = raw.indexOf(";", hostStart);
  const hostEnd = semicolon < 0 || semicolon > beforeHeaders ? beforeHeaders : semicolon;
  const place = parseHostPort(raw.slice(hostStart, hostEnd));
  if (place === undefined) return undefined;
  const parameters = hostEnd === beforeHeaders ? none : readUriParameters(raw, hostEnd, beforeHeaders);
  if (parameters === undefined) return undefined;
  const headers = question < 0 ? undefined : raw.slice(question + 1);
  return { raw, scheme, user, host: place.host, port: place.port, parameters, headers };
}

/**
 * Takes `host`, `host:port`, `[IPv6]` or `[IPv6]:port` apart; no blanks. `undefined` when it is none of these.
 */
export function parseHostPort(text: string): { host: string; port: number | undefined } | undefined {
  let host = text;
  let portText: string | undefined;
  if (text.charCodeAt(0) === 91) {
    const close = text.indexOf("]");
    if (close < 0 || !/^[0-9a-f:.]+$/i.test(text.slice(1, close))) return undefined;
    host = text.slice(0, close + 1);
    if (close + 1 < text.length) {
      if (text.charCodeAt(close + 1) !== 58) return undefined;
      portText = text.slice(close + 2);
    }
  } else {
    const colon = text.indexOf(":");
    if (colon >= 0) {
      host = text.slice(0, colon);
      portText = text.slice(colon + 1);
    }
    if (!isHostName(host)) return undefined;
  }
  if (portText === undefined) return { host, port: undefined };
  const port = parseDigits(portText, 65_535);
  return port === undefined ? undefined : { host, port };
}

/** URI parameters: no blanks, no quotes; names unescaped, values not; of repeated names the first counts. */
function readUriParameters(raw: string, start: number, end: number): Parameters | undefined {
  const parameters = new Map<string, string | undefined>();
  let position = start;
  while (position < end) {
    const semicolon = raw.indexOf(";", position + 1);
    const stop = semicolon < 0 || semicolon > end ? end : semicolon;
    const text = raw.slice(position + 1, stop);
    position = stop;
    const equals = text.indexOf("=");
    const name = unescapeText(equals < 0 ? text : text.slice(0, equals)).toLowerCase();
    if (name.length === 0 || text.includes("@")) return undefined;
    if (!parameters.has(name)) parameters.set(name, equals < 0 ? undefined : text.slice(equals + 1));
  }
  return parameters;
}

/** No blank, control character, quote, angle bracket or backslash. */
function isVisible(raw: string): boolean {
  for (let index = 0; index < raw.length; index++) {
    const code = raw.charCodeAt(index);
    if (code <= 32 || code === 34 || code === 60 || code === 62 || code === 92 || code === 127) return false;
  }
  return true;
}

/** Replaces `%XX` by what it stands for (UTF-8); text with broken escapes comes back as it is. Never throws. */
export function unescapeText(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
