import { parseUri, unescapeText, type SipUri } from "../../sip/index.ts";

/** One rule for the numbers agents dial. The first rule that matches decides; what none matches goes as it is. */
export interface NumberRule {
  /**
   * A dial pattern, no regular expression, so that no rule can take exponential time: `X` is a digit, `Z` 1-9, `N` 2-9;
   * a last `.` stands for one or more characters, a last `!` for any number of them; all else for itself, letters in
   * lower case.
   */
  readonly match: string;
  readonly action: "allow" | "deny";
  /** Characters taken off the front. */
  readonly strip: number;
  /** Put in front then. */
  readonly prefix: string;
}

/** What becomes of a dialled number. */
export type NumberVerdict =
  { readonly allowed: true; readonly number: string } | { readonly allowed: false; readonly rule: string };

/** Longest number sent on, characters; E.164 has 15 digits, the rest is room for codes and names. */
const maximumNumber = 64;

/** How one character of a pattern is matched; what is not named stands for itself. */
const classes: Readonly<Record<string, RegExp>> = { X: /\d/, Z: /[1-9]/, N: /[2-9]/ };

function matches(pattern: string, number: string): boolean {
  const last = pattern.at(-1);
  const open = last === "." || last === "!";
  const fixed = open ? pattern.slice(0, -1) : pattern;
  if (open ? number.length < fixed.length + (last === "." ? 1 : 0) : number.length !== fixed.length)
    return false;
  return Array.from(fixed).every((sign, index) => {
    const digit = number[index] ?? "";
    return classes[sign]?.test(digit) ?? sign === digit.toLowerCase();
  });
}

/** Applies the first rule that matches. */
export function applyNumberRules(rules: readonly NumberRule[], number: string): NumberVerdict {
  const rule = rules.find(({ match }) => matches(match, number));
  if (!rule) return { allowed: true, number };
  if (rule.action === "deny") return { allowed: false, rule: rule.match };
  return { allowed: true, number: `${rule.prefix}${number.slice(rule.strip)}` };
}

/**
 * The number in a request URI of the agent's: the user part of sip:, what stands in tel: (RFC 3966), without escapes,
 * parameters and visual separators. Undefined when there is none, or it is nothing that could be dialled.
 */
export function numberInUri(uri: SipUri): string | undefined {
  return numberIn(uri.scheme === "tel" ? uri.raw.slice("tel:".length) : (uri.user ?? ""));
}

/** Likewise in what a client addresses that does not speak SIP: a number, a URI, or `user@host`. */
export function numberInText(text: string): string | undefined {
  const named = /^(sips?|tel):/i.test(text);
  if (!named && !text.includes("@")) return numberIn(text);
  const uri = parseUri(named ? text : `sip:${text}`);
  return uri && numberInUri(uri);
}

/** Of a user part or what stands in tel:, with escapes and parameters. */
function numberIn(raw: string): string | undefined {
  const number = withoutSeparators(unescapeText(raw.split(";", 1)[0] ?? ""));
  return number !== "" && number.length <= maximumNumber && !/[\p{Cc}@<>"\s]/u.test(number)
    ? number
    : undefined;
}

/** `(089) 12-34` is a number with separators; `john.doe` is a name and keeps its dot. */
function withoutSeparators(text: string): string {
  return /^[\d+*#\s().\-/]+$/.test(text) ? text.replaceAll(/[\s().\-/]/g, "") : text;
}

/** A number as user part of a URI: all but the unreserved characters of RFC 3261 25.1 and `+` escaped. */
export function userPartOf(number: string): string {
  return encodeURIComponent(number).replaceAll("%2B", "+");
}
