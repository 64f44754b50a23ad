import type { Parameters } from "./types.ts";
import { endOfQuoted, isToken, skipBlanks, trimBlanks, unquote } from "./text.ts";

/**
 * Splits a list at its commas, those in quotes and in angle brackets left alone; elements are trimmed. Empty
 * elements stay, so that the caller can tell a malformed list.
 */
export function splitElements(value: string): string[] {
  if (!value.includes(",")) return [trimBlanks(value)];
  const elements: string[] = [];
  let start = 0;
  let bracket = false;
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index);
    if (code === 34 && !bracket) {
      const end = endOfQuoted(value, index);
      if (end < 0) break;
      index = end - 1;
    } else if (code === 60) bracket = true;
    else if (code === 62) bracket = false;
    else if (code === 44 && !bracket) {
      elements.push(trimBlanks(value.slice(start, index)));
      start = index + 1;
    }
  }
  elements.push(trimBlanks(value.slice(start)));
  return elements;
}

/** Splits a comma list outside quotes and angle brackets (RFC 3261 7.3.1); empty elements are dropped. */
export function splitList(value: string): string[] {
  return splitElements(value).filter((element) => element.length > 0);
}

/** Parameters that name a transaction or a dialog: two of them in one value would be read differently by each. */
const unrepeatable = new Set(["tag", "branch"]);

/**
 * Reads `;name=value;name` of a header value from `index` to the end. Values are unquoted. Of repeated names the
 * first counts. `undefined` for what RFC 3261 25.1 does not allow, unless `lenient`: then faults are skipped.
 */
export function readParameters(text: string, index: number, lenient: boolean): Parameters | undefined {
  const parameters = new Map<string, string | undefined>();
  let position = skipBlanks(text, index);
  while (position < text.length) {
    if (text.charCodeAt(position) !== 59) {
      if (!lenient) return undefined;
      const next = text.indexOf(";", position);
      if (next < 0) break;
      position = next;
    }
    const end = endOfParameter(text, position + 1);
    if (!addParameter(parameters, text.slice(position + 1, end)) && !lenient) return undefined;
    position = end;
  }
  return parameters;
}

/** Position of the next `;` outside quotes, or the end of the text. */
function endOfParameter(text: string, index: number): number {
  for (let position = index; position < text.length; position++) {
    const code = text.charCodeAt(position);
    if (code === 59) return position;
    if (code === 34) {
      const end = endOfQuoted(text, position);
      if (end < 0) return text.length;
      position = end - 1;
    }
  }
  return text.length;
}

function addParameter(parameters: Map<string, string | undefined>, text: string): boolean {
  const equals = text.indexOf("=");
  const name = trimBlanks(equals < 0 ? text : text.slice(0, equals)).toLowerCase();
  if (!isToken(name)) return false;
  if (parameters.has(name)) return !unrepeatable.has(name);
  if (equals < 0) {
    parameters.set(name, undefined);
    return true;
  }
  const value = trimBlanks(text.slice(equals + 1));
  if (value.charCodeAt(0) === 34) {
    if (endOfQuoted(value, 0) !== value.length) return false;
    parameters.set(name, unquote(value));
    return true;
  }
  if (!isPlainValue(value)) return false;
  parameters.set(name, value);
  return true;
}

/** A value that can stand without quotes: token, host or IPv6 address; other visible characters are let pass. */
function isPlainValue(value: string): boolean {
  if (value.length === 0) return false;
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index);
    // blanks, quote, comma, semicolon and angle brackets would end the value for another reader
    if (code <= 32 || code === 34 || code === 44 || code === 59 || code === 60 || code === 62 || code === 127)
      return false;
  }
  return true;
}
