/** A piece of text; `number` where a click on it calls that. */
export interface TextPiece {
  readonly text: string;
  readonly number?: string;
}

/** `sip:1003@`, `tel:+49301234`, `Ann Lee (1003)`, or international in the middle of text. */
const IN_TEXT =
  /(?<=\bsips?:)\+?[0-9*#]{2,24}(?=[@;>])|(?<=\btel:)\+?[0-9*#().-]{2,24}|(?<= \()\+?[0-9*#]{2,24}(?=\)$)|(?<![\w+])\+[1-9][0-9]{5,14}(?![\w])/gi;
/** Nothing but a number, written as people write it. */
const WHOLE = /^\+?[0-9(][0-9 ()./-]{1,22}[0-9]$/;
const MOST_DIGITS = 15;

/** What is dialled for a number as people write it: without blanks, brackets, dashes, slashes, and dots between digits. */
export function plainNumber(written: string): string {
  return written.replaceAll(/[\s()/-]/g, "").replaceAll(/(?<=\d)\.(?=\d)/g, "");
}

/** Text taken apart at the numbers that can be called. */
export function withNumbers(text: string): TextPiece[] {
  const plain = plainNumber(text);
  if (WHOLE.test(text) && plain.replace("+", "").length <= MOST_DIGITS) return [{ text, number: plain }];
  const pieces: TextPiece[] = [];
  let at = 0;
  for (const { 0: found, index } of text.matchAll(IN_TEXT)) {
    if (index > at) pieces.push({ text: text.slice(at, index) });
    pieces.push({ text: found, number: plainNumber(found) });
    at = index + found.length;
  }
  if (at < text.length) pieces.push({ text: text.slice(at) });
  return pieces;
}

/**
 * The number that the page's address asks to call: `#dial=1003`, or `#dial=tel:+49-30-123;ext=4` of a tel: link.
 * Undefined when there is none that can be dialled.
 */
export function askedNumber(hash: string): string | undefined {
  const asked = new URLSearchParams(hash.replace(/^#/, "").replaceAll("+", "%2B")).get("dial");
  if (asked === null) return undefined;
  const number = plainNumber(asked.replace(/^(?:tel|sips?):/i, "").replace(/[;@?].*$/s, ""));
  return /^\+?[\w*#]{1,63}$/.test(number) ? number : undefined;
}
