/** RFC 3261 25.1 `token` characters, by character code. */
const tokenTable = characterTable("-.!%*_+`'~");
/** Host name characters; `_` is no host character by RFC 1034 but stands in many Windows host names. */
const hostTable = characterTable("-._");

function characterTable(extra: string): Uint8Array {
  const table = new Uint8Array(128);
  const letters = "abcdefghijklmnopqrstuvwxyz";
  for (const character of `0123456789${letters}${letters.toUpperCase()}${extra}`) {
    table[character.charCodeAt(0)] = 1;
  }
  return table;
}

function consistsOf(table: Uint8Array, text: string): boolean {
  if (text.length === 0) return false;
  for (let index = 0; index < text.length; index++) {
    if (table[text.charCodeAt(index)] !== 1) return false;
  }
  return true;
}

/** True for a non-empty RFC 3261 token. */
export function isToken(text: string): boolean {
  return consistsOf(tokenTable, text);
}

/** True for a non-empty text of host name characters. */
export function isHostName(text: string): boolean {
  return consistsOf(hostTable, text);
}

/** Space or tab; header values are unfolded, so no line end can stand in them. */
export function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

/**
 * True when nothing in a start line or header value could be taken for the end of it: no line end at all, and
 * control characters only as the second half of a quoted pair (RFC 3261 25.1), as RFC 4475 3.1.1.2 has them.
 */
export function isClean(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (isMisplaced(text, index)) return false;
  }
  return true;
}

/** The text with each character that `isClean` objects to replaced by a space. */
export function cleaned(text: string): string {
  if (isClean(text)) return text;
  return Array.from({ length: text.length }, (_, index) =>
    isMisplaced(text, index) ? " " : text.charAt(index),
  ).join("");
}

function isMisplaced(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  if ((code >= 32 && code !== 127) || code === 9) return false;
  return code === 10 || code === 13 || index === 0 || text.charCodeAt(index - 1) !== 92;
}

/** First position at or after `index` that is no blank. */
export function skipBlanks(text: string, index: number): number {
  while (index < text.length && isBlank(text.charCodeAt(index))) index++;
  return index;
}

/** Cuts blanks (not other white space, which must stay visible as an error) from both ends. */
export function trimBlanks(text: string): string {
  const start = skipBlanks(text, 0);
  let end = text.length;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Number of a text of digits only, `undefined` for anything else or above `maximum`. */
export function parseDigits(text: string, maximum: number): number | undefined {
  if (text.length === 0) return undefined;
  let value = 0;
  for (let index = 0; index < text.length; index++) {
    const digit = text.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
    if (value > maximum) return undefined;
  }
  return value;
}

/** Position behind the closing quote of the quoted string that starts at `index`; -1 when it never closes. */
export function endOfQuoted(text: string, index: number): number {
  for (let position = index + 1; position < text.length; position++) {
    const code = text.charCodeAt(position);
    if (code === 92) position++;
    else if (code === 34) return position + 1;
  }
  return -1;
}

/** Content of a quoted string given with its quotes: quotes gone, `\x` turned into `x`. */
export function unquote(quoted: string): string {
  const inner = quoted.slice(1, -1);
  return inner.includes("\\") ? inner.replaceAll(/\\(.)/gs, "$1") : inner;
}
