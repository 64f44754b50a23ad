import { dnPattern } from "../core/index.ts";
import type { AccountConfig } from "./types.ts";

/** A line that is no account. Of what stands in it nothing is told but a DN: it may be a password. */
export interface BadLine {
  /** From 1. */
  readonly line: number;
  /** To be read after the line's number: `names DN 5001, which line 3 has`. */
  readonly reason: string;
}

export interface AccountsFile {
  readonly accounts: readonly AccountConfig[];
  readonly badLines: readonly BadLine[];
}

export interface AccountsFileOptions {
  /** `agents.realm`; hashes for another one are of no use. */
  readonly realm: string;
  /** The DNs of `agents.accounts`, which the file must not have again. */
  readonly taken: ReadonlySet<string>;
}

/** `realm:MD5`, `realm:SHA-256` or `realm:MD5:SHA-256`; a realm may hold colons. */
const hashes = /^(.+?):(?:([\da-f]{32})(?::([\da-f]{64}))?|([\da-f]{64}))\s*$/i;
const password = /^[^\p{Cc}]{1,256}$/u;

/**
 * Reads `agents.accountsFile`: a line for each DN, `dn:password` or `dn:realm:HA1` as htdigest writes it, HA1 being MD5 (32
 * hexadecimal digits), SHA-256 (64), or `MD5:SHA-256`. Empty lines and those that begin with `#` do not count.
 */
export function readAccountsFile(text: string, options: AccountsFileOptions): AccountsFile {
  const accounts: AccountConfig[] = [];
  const badLines: BadLine[] = [];
  const lineOf = new Map<string, number>();
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  for (const [index, content] of lines.entries()) {
    if (/^\s*(#|$)/.test(content)) continue;
    const line = index + 1;
    const account = readLine(content, options.realm);
    const reason = "reason" in account ? account.reason : duplicate(account.dn, lineOf, options.taken);
    if (reason !== undefined) badLines.push({ line, reason });
    else if (!("reason" in account)) {
      lineOf.set(account.dn, line);
      accounts.push(account);
    }
  }
  return { accounts, badLines };
}

function readLine(content: string, realm: string): AccountConfig | { readonly reason: string } {
  const colon = content.indexOf(":");
  const dn = content.slice(0, Math.max(0, colon)).trim();
  if (!dnPattern.test(dn)) return { reason: "does not begin with a DN and a colon" };
  const rest = content.slice(colon + 1);
  const [, named, md5, sha256Beside, sha256Alone] = hashes.exec(rest) ?? [];
  if (named === undefined)
    return password.test(rest) ? { dn, password: rest } : { reason: `has no password for DN ${dn}` };
  if (named !== realm) return { reason: `has a hash of DN ${dn} for another realm than agents.realm` };
  const sha256 = sha256Beside ?? sha256Alone;
  return {
    dn,
    ...(md5 === undefined ? {} : { ha1: md5.toLowerCase() }),
    ...(sha256 === undefined ? {} : { ha1Sha256: sha256.toLowerCase() }),
  };
}

function duplicate(
  dn: string,
  lineOf: ReadonlyMap<string, number>,
  taken: ReadonlySet<string>,
): string | undefined {
  const earlier = lineOf.get(dn);
  if (earlier !== undefined) return `names DN ${dn}, which line ${earlier} has`;
  return taken.has(dn) ? `names DN ${dn}, which agents.accounts has` : undefined;
}
