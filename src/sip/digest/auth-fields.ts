/** One challenge or one set of credentials (RFC 7235 2.1): scheme and parameter names in lower case. */
export interface AuthFields {
  readonly scheme: string;
  /** Values without their quotes and escapes. */
  readonly parameters: ReadonlyMap<string, string>;
}

const token = "[A-Za-z0-9!#$%&'*+.^_`|~-]+";
const separator = /[\s,]*/y;
const parameter = new RegExp(
  `(${token})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s,"]+))(?=\\s*(?:,|$))`,
  "y",
);
const scheme = new RegExp(`(${token})(?=[\\s,]|$)`, "y");

/**
 * Takes apart an Authorization or WWW-Authenticate value, several challenges in one line included. Undefined when
 * it does not follow the grammar or names a parameter twice: of two `uri`s nobody can say which was checked.
 */
export function parseAuthFields(value: string): AuthFields[] | undefined {
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  let position = skipSeparators(value, 0);
  while (position < value.length) {
    const pair = matchAt(parameter, value, position);
    const current = found.at(-1);
    if (pair) {
      const name = pair[1]?.toLowerCase() ?? "";
      if (!current || current.parameters.has(name)) return undefined;
      current.parameters.set(name, pair[2]?.replace(/\\(.)/g, "$1") ?? pair[3] ?? "");
      position = skipSeparators(value, position + pair[0].length);
      continue;
    }
    const word = matchAt(scheme, value, position);
    if (!word) return undefined;
    found.push({ scheme: word[0].toLowerCase(), parameters: new Map() });
    position = skipSeparators(value, position + word[0].length);
  }
  return found;
}

function matchAt(pattern: RegExp, text: string, position: number): RegExpExecArray | null {
  pattern.lastIndex = position;
  return pattern.exec(text);
}

function skipSeparators(value: string, position: number): number {
  return position + (matchAt(separator, value, position)?.[0].length ?? 0);
}

/** Writes `Digest name="value", ...`; `bare` values go without quotes, undefined ones are left out. */
export function formatDigest(
  fields: readonly (readonly [name: string, value: string | undefined, form: "quoted" | "bare"])[],
): string {
  const parts: string[] = [];
  for (const [name, value, form] of fields) {
    if (value !== undefined) parts.push(`${name}=${form === "bare" ? value : quote(value)}`);
  }
  return `Digest ${parts.join(", ")}`;
}

function quote(value: string): string {
  return `"${value.replace(/["\\]/g, "\\$&")}"`;
}
