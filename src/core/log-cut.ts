/** What stands where a secret was. */
const mark = "[cut]";

/** Keys whose values are secrets, whatever stands before: `trunkPassword`, `access_token`, `Proxy-Authorization`. */
const secretKey =
  /(?:pass(?:word|wd|phrase)?|password[-_]?hash|pwd|secret|token|api[-_]?key|private[-_]?key|(?:send|receive)key|ha1(?:sha256)?|credentials?|authorization|cookie|resume)$/i;

/** No text without one of these holds a secret: most lines are looked at once and left alone. */
const suspicious =
  /auth|cookie|resume|pass|pwd|secret|token|key|ha1|credential|response|cnonce|bearer|basic|digest|inline:|eyJ|@|^k=/im;

/** Secrets in running text, each with what is left of them. To the end of the line where it has no sure end. */
const cuts: readonly (readonly [RegExp, string])[] = [
  // Header lines, also within JSON and URIs: RFC 3261 20.7, 20.28; RFC 6265; ours for taking a call over.
  [/((?:authorization|cookie|x-jackfield-resume)\\*["']?\s*[:=])[^\r\n]+/gi, `$1 ${mark}`],
  [/\b(digest\s+\w+\s*=)[^\r\n]*/gi, `$1${mark}`],
  [/\b(bearer|basic)\s+[\w+/=.~-]{4,}/gi, `$1 ${mark}`],
  [
    /((?:pass(?:word|wd|phrase)?|pwd|secret|token|api[-_]?key|private[-_]?key|ha1|credentials?|\b(?:response|cnonce))\\*["']?\s*[=:]\s*\\*)(?:"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s&;,"'<>}]+)/gi,
    `$1${mark}`,
  ],
  // Keys of media: RFC 8839 5.4, RFC 4567, RFC 4566 k=, RFC 4568.
  [/(a=ice-pwd:|a=key-mgmt:|^k=)[^\r\n]+/gim, `$1${mark}`],
  [/(inline:)[^\s|;"]+/gi, `$1${mark}`],
  [/((?:sips?|wss?|https?|turns?|rediss?):(?:\/\/)?[^\s:@<>"/]{1,128}):[^\s@<>"]{1,128}@/gi, `$1:${mark}@`],
  // JSON in base64url, as a JWT begins; whatever comes behind it, so that no text makes this slow.
  [/\beyJ[\w-]{8,}(?:\.[\w-]*){0,4}/g, mark],
  [/(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)[^-]*/g, `$1${mark}`],
];

const longestText = 8192;
const deepest = 8;
/** Values in one line; what comes behind is left out. */
const mostValues = 2000;

/** A text without the secrets in it, cut to 8,192 characters. */
export function cutText(text: string): string {
  const bounded =
    text.length > longestText ? `${text.slice(0, longestText)}... (${text.length} characters in all)` : text;
  if (!suspicious.test(bounded)) return bounded;
  let shown = bounded;
  for (const [secret, left] of cuts) shown = shown.replaceAll(secret, left);
  return shown;
}

/**
 * Details of a log line as plain values that JSON can hold, without secrets: by the names of keys at any depth, in
 * texts by their form. Errors become `{type, message, stack, code, ...}`, bytes their number. Bounded in depth, number
 * and length; never throws.
 */
export function cutDetails(details: object): Record<string, unknown> {
  try {
    return cutEntries(details, 0, { left: mostValues, above: new Set() });
  } catch {
    // A getter that throws, a proxy: the words of the line are still worth having.
    return { details: "not printable" };
  }
}

interface Walk {
  left: number;
  /** What the value lies in, so that a circle ends. */
  readonly above: Set<object>;
}

function cutEntries(value: object, depth: number, walk: Walk): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  walk.above.add(value);
  for (const [key, inner] of Object.entries(value)) {
    if (walk.left-- <= 0) break;
    const cut = secretKey.test(key) ? cutWhole(inner) : cutValue(inner, depth + 1, walk);
    if (cut !== undefined) shown[key] = cut;
  }
  walk.above.delete(value);
  return shown;
}

/** What stands under a secret's name: that there is something may be told. */
function cutWhole(value: unknown): unknown {
  return value === undefined || value === null || typeof value === "boolean" ? value : mark;
}

function cutValue(value: unknown, depth: number, walk: Walk): unknown {
  if (typeof value === "string") return cutText(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return typeof value === "function" ? undefined : value;
  if (value instanceof URL) return cutText(value.href);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (walk.above.has(value)) return "[circle]";
  if (depth > deepest) return "[deeper]";
  if (Array.isArray(value)) return cutList(value, depth, walk);
  return value instanceof Error ? cutError(value, depth, walk) : cutEntries(value, depth, walk);
}

function cutList(list: readonly unknown[], depth: number, walk: Walk): unknown[] {
  const shown: unknown[] = [];
  walk.above.add(list);
  for (const entry of list) {
    if (walk.left-- <= 0) break;
    shown.push(cutValue(entry, depth + 1, walk) ?? null);
  }
  walk.above.delete(list);
  return shown;
}

function cutError(error: Error, depth: number, walk: Walk): Record<string, unknown> {
  const { cause } = error;
  walk.above.add(error);
  const shown = {
    type: error.name,
    message: cutText(error.message),
    stack: cutText(error.stack ?? ""),
    ...(cause === undefined ? {} : { cause: cutValue(cause, depth + 1, walk) }),
    ...(error instanceof AggregateError ? { errors: cutList(error.errors, depth + 1, walk) } : {}),
  };
  return { ...cutEntries(error, depth, walk), ...shown };
}
