/** What the directory says of a DN; without hashes it signs in by token alone. */
export interface DirectoryAgent {
  /** MD5 of DN:realm:password, lower case. */
  readonly ha1?: string;
  readonly ha1Sha256?: string;
  readonly displayName?: string;
  /** For SIP Server's digest. */
  readonly trunkPassword?: string;
}

interface Field {
  readonly key: string;
  readonly name: keyof DirectoryAgent;
  readonly form: RegExp;
  readonly lower?: boolean;
}

/** As `agents.accounts` takes them. */
const fields: readonly Field[] = [
  { key: "ha1", name: "ha1", form: /^[\da-f]{32}$/i, lower: true },
  { key: "ha1_sha256", name: "ha1Sha256", form: /^[\da-f]{64}$/i, lower: true },
  { key: "display_name", name: "displayName", form: /^[^"\\\p{Cc}]{1,64}$/u },
  { key: "trunk_password", name: "trunkPassword", form: /^[^\p{Cc}]{1,256}$/u },
];

/** Reads the answer's JSON; null counts as left out, further keys do not matter. Else the key that is wrong, or `object`. */
export function readAgent(json: unknown): DirectoryAgent | { readonly wrong: string } {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return { wrong: "object" };
  const agent: { -readonly [Name in keyof DirectoryAgent]: string } = {};
  for (const { key, name, form, lower } of fields) {
    const value: unknown = Object.hasOwn(json, key) ? Reflect.get(json, key) : null;
    if (value === null) continue;
    if (typeof value !== "string" || !form.test(value)) return { wrong: key };
    agent[name] = lower ? value.toLowerCase() : value;
  }
  return agent;
}
