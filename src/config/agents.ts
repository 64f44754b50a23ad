import { resolveAccountsFile, resolveJwt, resolveLookup } from "./agents-sources.ts";
import type { ParsedConfig } from "./schema.ts";
import { rangeContains, rangeFault, rangesOverlap, rangeSize, type DnRange } from "./ranges.ts";
import { eitherSecret, fileSecret, namedText } from "./secret-files.ts";
import { readRangeSecrets } from "./secrets.ts";
import type { Say } from "./rules/index.ts";
import type { AccountConfig, Config, RangeConfig } from "./types.ts";
import type { Path } from "./walk.ts";

type ParsedAgents = ParsedConfig["agents"];
type ParsedAccount = ParsedAgents["accounts"][number];
type ParsedRange = ParsedAgents["ranges"][number];

/** Checks accounts and ranges and reads their secrets; what is wrong goes to `say.fault`, what is risky to `say.warn`. */
export function resolveAgents(agents: ParsedAgents, directory: string, say: Say): Config["agents"] {
  const byToken = agents.jwt !== undefined;
  const accounts = agents.accounts.map((account, index) =>
    resolveAccount(account, byToken, ["agents", "accounts", index], directory, say),
  );
  const ranges = agents.ranges.map((range, index) =>
    resolveRange(range, byToken, ["agents", "ranges", index], directory, say),
  );
  checkDuplicates(accounts, ranges, say);
  const fromFile = resolveAccountsFile(agents, accounts, directory, say);
  const count = accounts.length + ranges.length + fromFile.fileAccounts.length;
  if (count === 0 && !agents.lookup)
    say.warn(
      ["agents"],
      "has no account: nobody can sign in",
      "write agents.accounts, ranges, accountsFile or lookup",
    );
  if (agents.minExpires > agents.maxExpires)
    say.fault(["agents", "minExpires"], "is above maxExpires", `write ${agents.maxExpires} or less`);
  if (agents.newCallGraceSeconds > agents.callGraceSeconds)
    say.fault(["agents", "newCallGraceSeconds"], "is above callGraceSeconds", "write the smaller one here");
  const { accountsFile: _file, jwt: parsedJwt, lookup: parsedLookup, ...rest } = agents;
  const jwt = resolveJwt(parsedJwt, directory, say);
  const lookup = resolveLookup(parsedLookup, directory, say);
  const tokens = resolveTokens(agents.tokens, directory, say);
  return {
    ...rest,
    accounts,
    ranges,
    ...fromFile,
    ...(jwt ? { jwt } : {}),
    ...(lookup ? { lookup } : {}),
    tokens,
  };
}

function resolveTokens(
  { keyFile, sessionHours }: ParsedAgents["tokens"],
  directory: string,
  say: Say,
): Config["agents"]["tokens"] {
  const path = ["agents", "tokens", "keyFile"];
  const key = fileSecret(path, keyFile, directory, say);
  if (key !== undefined && key.length < 16)
    say.fault(path, "holds fewer than 16 characters", "write a secret into it: openssl rand -hex 32");
  return { sessionHours, ...(key === undefined ? {} : { key }) };
}

function resolveAccount(
  account: ParsedAccount,
  byToken: boolean,
  path: Path,
  directory: string,
  say: Say,
): AccountConfig {
  const dn = String(account.dn);
  const { displayName, ha1, ha1Sha256 } = account;
  const given = [account.password, account.passwordFile, ha1 ?? ha1Sha256].filter((one) => one !== undefined);
  if (given.length > 1 || (given.length === 0 && !byToken))
    say.fault(
      path,
      given.length === 0 ? `has no password for ${dn}` : `has more than one password for ${dn}`,
      "write one of password, passwordFile, ha1 (with ha1Sha256 if wanted)",
    );
  const password =
    account.password ?? fileSecret([...path, "passwordFile"], account.passwordFile, directory, say);
  const trunkPassword = trunkSecret(account, path, directory, say);
  if (password !== undefined) warnOfDerivable(password, dn, path, say);
  return {
    dn,
    ...(displayName === undefined ? {} : { displayName }),
    ...(password === undefined ? {} : { password }),
    ...(ha1 === undefined ? {} : { ha1: ha1.toLowerCase() }),
    ...(ha1Sha256 === undefined ? {} : { ha1Sha256: ha1Sha256.toLowerCase() }),
    ...(trunkPassword === undefined ? {} : { trunkPassword }),
    ...(account.autoAnswer === undefined ? {} : { autoAnswer: account.autoAnswer }),
  };
}

function resolveRange(
  range: ParsedRange,
  byToken: boolean,
  path: Path,
  directory: string,
  say: Say,
): RangeConfig {
  const ends: DnRange = { from: String(range.from), to: String(range.to) };
  const fault = rangeFault(ends);
  if (fault !== undefined)
    say.fault([...path, "to"], `${fault}: ${ends.from} to ${ends.to}`, "correct from or to");
  const given = [range.password, range.passwordFile].filter((one) => one !== undefined);
  if (given.length > 1 || (given.length === 0 && !byToken))
    say.fault(path, "needs exactly one of password and passwordFile", "write one of the two");
  const trunkPassword = trunkSecret(range, path, directory, say);
  const secrets = range.passwordFile === undefined ? {} : rangeSecrets(range, ends, path, directory, say);
  const password = range.password ?? secrets.password;
  if (password !== undefined) warnOfShared(password, path, say);
  return {
    ...ends,
    ...(password === undefined ? {} : { password }),
    ...(secrets.passwords === undefined ? {} : { passwords: secrets.passwords }),
    ...(trunkPassword === undefined ? {} : { trunkPassword }),
    ...(range.autoAnswer === undefined ? {} : { autoAnswer: range.autoAnswer }),
  };
}

function rangeSecrets(
  range: ParsedRange,
  ends: DnRange,
  path: Path,
  directory: string,
  say: Say,
): Pick<RangeConfig, "password" | "passwords"> {
  const filePath = [...path, "passwordFile"];
  const text = namedText(filePath, range.passwordFile, directory, say);
  if (text === undefined) return {};
  const { password, passwords, badLines } = readRangeSecrets(text, (dn) => rangeContains(ends, dn));
  if (badLines.length > 0) {
    const lines = `${badLines.slice(0, 5).join(", ")}${badLines.length > 5 ? " ..." : ""}`;
    say.fault(filePath, `has lines that are no dn:password of the range: ${lines}`, "correct those lines");
  }
  if (password !== undefined) return { password };
  const missing = rangeSize(ends) - (passwords?.size ?? 0);
  if (missing > 0 && badLines.length === 0)
    say.warn(
      filePath,
      `has no password for ${missing} DNs of the range: they cannot sign in`,
      "add their lines",
    );
  return { passwords: Object.fromEntries(passwords ?? []) };
}

function trunkSecret(
  entry: { trunkPassword?: string | undefined; trunkPasswordFile?: string | undefined },
  path: Path,
  directory: string,
  say: Say,
): string | undefined {
  const { trunkPassword: value, trunkPasswordFile: file } = entry;
  return eitherSecret({ section: path, name: "trunkPassword", value, file }, directory, say);
}

function checkDuplicates(accounts: readonly AccountConfig[], ranges: readonly RangeConfig[], say: Say): void {
  const seen = new Map<string, number>();
  for (const [index, { dn }] of accounts.entries()) {
    const first = seen.get(dn);
    if (first === undefined) seen.set(dn, index);
    else
      say.fault(
        ["agents", "accounts", index, "dn"],
        `is also agents.accounts[${first}]`,
        "take one of them out",
      );
  }
  for (const [index, range] of ranges.entries()) {
    const earlier = ranges.slice(0, index).findIndex((other) => rangesOverlap(range, other));
    if (earlier !== -1)
      say.fault(["agents", "ranges", index], `overlaps agents.ranges[${earlier}]`, "give each DN one range");
  }
}

const derivableRemedy = "give each DN a random password, by passwordFile or ha1";

function warnOfDerivable(password: string, dn: string, path: Path, say: Say): void {
  if (password.includes("{dn}") || password.includes(dn))
    say.warn([...path, "password"], `can be derived from the DN ${dn}`, derivableRemedy);
}

function warnOfShared(password: string, path: Path, say: Say): void {
  const reason = password.includes("{dn}")
    ? "is a pattern: who knows one password of the range knows all"
    : "is the same for every DN of the range";
  say.warn([...path, "password"], reason, derivableRemedy);
}
