import type { ImportedAgent } from "./agents.ts";
import type { Findings } from "./report.ts";

/** HA1 of a password, hexadecimal (RFC 7616 3.4.2). */
export type Ha1Of = (algorithm: "MD5" | "SHA-256", dn: string, realm: string, password: string) => string;

export interface PasswordFile {
  readonly name: string;
  /** `dn:password`; in the accounts file `dn:realm:HA1` */
  readonly lines: readonly string[];
}

export interface AccountsPlan {
  readonly realm: string | undefined;
  readonly accounts: readonly Record<string, string>[];
  readonly ranges: readonly Record<string, string>[];
  /** Name of the one of `passwordFiles` that is `agents.accountsFile`; undefined: none is needed. */
  readonly accountsFile: string | undefined;
  /** The accounts file, and one for each range whose DNs have passwords of their own. */
  readonly passwordFiles: readonly PasswordFile[];
  /** DNs with an account, contracted: `5001-5031, 5040`. */
  readonly dns: string;
  readonly count: number;
}

/** `agents.realm` where nothing is said. */
const usualRealm = "jackfield";
/** Fewer DNs than this in a row are entries of their own. */
const fewestInRange = 3;
/** A range has no more holes than this share of its DNs; none where its password is a pattern. */
const mostHoles = 0.5;
const maxRangeSize = 100_000;

/**
 * Contracts agents to ranges where their passwords follow a pattern or go to a file; of the others those that have more than a
 * secret are accounts of the configuration, the rest goes to the accounts file, hashed. `baseName`: of the files.
 */
export function planAccounts(
  agents: readonly ImportedAgent[],
  trunkPasswords: ReadonlyMap<string, string>,
  { baseName, ha1Of }: { readonly baseName: string; readonly ha1Of: Ha1Of },
  findings: Findings,
): AccountsPlan {
  const realm = realmOf(agents);
  const usable = agents.filter((agent) => isOfRealm(agent, realm, findings));
  const accounts: ImportedAgent[] = [];
  const inRanges: PlainAgent[] = [];
  for (const agent of usable)
    if (isPlain(agent) && !trunkPasswords.has(agent.dn)) inRanges.push(agent);
    else accounts.push(agent);
  const ranges: Record<string, string>[] = [];
  const passwordFiles: PasswordFile[] = [];
  for (const { agents: run, password } of runsOf(inRanges)) {
    const [first, last] = [run[0], run.at(-1)];
    if (!first || !last || run.length < fewestInRange) accounts.push(...run);
    else if (password !== undefined) {
      ranges.push({ from: first.dn, to: last.dn, password });
      findings.add(
        "decide",
        `passwords of ${first.dn}-${last.dn}`,
        "follow a pattern, or are all the same: who knows one knows all. Taken as they are; better new ones in a passwordFile",
        first.endpoint.at,
      );
    } else {
      const name = `${baseName}.${first.dn}-${last.dn}.passwords`;
      ranges.push({ from: first.dn, to: last.dn, passwordFile: name });
      passwordFiles.push({ name, lines: run.map(({ dn, secret }) => `${dn}:${secret.password}`) });
    }
  }
  const hasMore = ({ dn, displayName }: ImportedAgent): boolean =>
    displayName !== undefined || trunkPasswords.has(dn);
  const plain = accounts.filter((agent) => !hasMore(agent));
  const accountsFile = plain.length === 0 ? undefined : `${baseName}.accounts`;
  if (accountsFile !== undefined) {
    passwordFiles.push({
      name: accountsFile,
      lines: plain.map((agent) => accountLine(agent, realm ?? usualRealm, ha1Of)),
    });
    findings.add(
      "mapped",
      `secrets of ${contracted(plain.map(({ dn }) => dn))}`,
      `in ${accountsFile} (agents.accountsFile) as hashes of agents.realm: what changes the realm voids them; jackfield ha1 makes others`,
    );
    // Hashed, nothing that checks the configuration sees it any more.
    const derivable = plain.filter(
      ({ dn, secret }) => secret.kind === "password" && secret.password.includes(dn),
    );
    if (derivable.length > 0)
      findings.add(
        "decide",
        `passwords of ${contracted(derivable.map(({ dn }) => dn))}`,
        "can be derived from the DN. Taken as they are; better new ones (jackfield ha1)",
      );
  }
  return {
    realm,
    accounts: accounts.filter(hasMore).map((agent) => accountOf(agent, trunkPasswords.get(agent.dn))),
    ranges,
    accountsFile,
    passwordFiles,
    dns: contracted(usable.map(({ dn }) => dn)),
    count: usable.length,
  };
}

type PlainAgent = ImportedAgent & {
  readonly secret: { readonly kind: "password"; readonly password: string };
};

function isPlain(agent: ImportedAgent): agent is PlainAgent {
  return agent.secret.kind === "password" && agent.displayName === undefined && /^\d{1,15}$/.test(agent.dn);
}

/** The realm of most hashes: they are void in any other. Undefined where there are none. */
function realmOf(agents: readonly ImportedAgent[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { secret } of agents)
    if (secret.kind === "ha1") counts.set(secret.realm, (counts.get(secret.realm) ?? 0) + 1);
  return [...counts].toSorted(([, one], [, other]) => other - one)[0]?.[0];
}

function isOfRealm(
  { dn, secret, endpoint }: ImportedAgent,
  realm: string | undefined,
  findings: Findings,
): boolean {
  if (secret.kind !== "ha1" || secret.realm === realm) return true;
  findings.add(
    "decide",
    `hash of DN ${dn}`,
    `left out: made for realm ${secret.realm}, and agents.realm can only be one (${realm}, which most hashes are of). Give the DN a new password`,
    endpoint.at,
  );
  return false;
}

function accountOf(
  { dn, displayName, secret }: ImportedAgent,
  trunkPassword: string | undefined,
): Record<string, string> {
  return {
    dn,
    ...(displayName === undefined ? {} : { displayName }),
    ...(secret.kind === "password" ? { password: secret.password } : {}),
    ...(secret.kind === "ha1" && secret.md5 !== undefined ? { ha1: secret.md5 } : {}),
    ...(secret.kind === "ha1" && secret.sha256 !== undefined ? { ha1Sha256: secret.sha256 } : {}),
    ...(trunkPassword === undefined ? {} : { trunkPassword }),
  };
}

/** As docs/accounts.md has it: `dn:realm:MD5:SHA-256`, or the one that is known. */
function accountLine({ dn, secret }: ImportedAgent, realm: string, ha1Of: Ha1Of): string {
  const { md5, sha256 } =
    secret.kind === "ha1"
      ? secret
      : {
          md5: ha1Of("MD5", dn, realm, secret.password),
          sha256: ha1Of("SHA-256", dn, realm, secret.password),
        };
  return [dn, realm, md5, sha256].filter((part) => part !== undefined).join(":");
}

interface Run {
  readonly agents: readonly PlainAgent[];
  /** Pattern of all; undefined: each has its own. */
  readonly password: string | undefined;
}

/** DNs that make a range: of one length, near each other. Where a pattern holds without holes it is the password. */
function runsOf(agents: readonly PlainAgent[]): Run[] {
  const sorted = agents.toSorted(
    (one, other) => one.dn.length - other.dn.length || Number(one.dn) - Number(other.dn),
  );
  const byPattern = rows(
    sorted,
    (before, next) => follows(before, next) && patternOf(before) === patternOf(next),
  );
  const patterned = byPattern.filter((run) => run.length >= fewestInRange);
  const done = new Set(patterned.flat());
  const others = sorted.filter((agent) => !done.has(agent));
  return [
    ...patterned.map((run) => ({ agents: run, password: run[0] && patternOf(run[0]) })),
    ...nearRows(others, done).map((run) => ({ agents: run, password: undefined })),
  ];
}

/** The password with `{dn}` for the DN in it; the same word for all DNs is a pattern too. */
function patternOf({ dn, secret }: PlainAgent): string {
  return secret.password.replaceAll(dn, "{dn}");
}

function follows(before: PlainAgent, next: PlainAgent): boolean {
  return next.dn.length === before.dn.length && Number(next.dn) === Number(before.dn) + 1;
}

/** Cuts a sorted list wherever `belongs` says no. */
function rows(
  sorted: readonly PlainAgent[],
  belongs: (before: PlainAgent, next: PlainAgent) => boolean,
): PlainAgent[][] {
  const all: PlainAgent[][] = [];
  for (const agent of sorted) {
    const row = all.at(-1);
    const before = row?.at(-1);
    if (row && before && belongs(before, agent)) row.push(agent);
    else all.push([agent]);
  }
  return all;
}

/** Rows with holes in them, whose DNs nobody can sign in with; a range of another password never lies within one. */
function nearRows(sorted: readonly PlainAgent[], taken: ReadonlySet<PlainAgent>): PlainAgent[][] {
  const takenDns = [...taken].map(({ dn }) => Number(dn));
  let begin: PlainAgent | undefined;
  let size = 0;
  return rows(sorted, (before, next) => {
    if (begin === undefined || size === 0) [begin, size] = [before, 1];
    const span = Number(next.dn) - Number(begin.dn) + 1;
    const isBetween = takenDns.some((dn) => dn > Number(before.dn) && dn < Number(next.dn));
    const isNear =
      next.dn.length === before.dn.length && span <= maxRangeSize && (size + 1) / span >= 1 - mostHoles;
    if (isNear && !isBetween) size++;
    else [begin, size] = [next, 1];
    return isNear && !isBetween;
  });
}

/** `5001-5031, 5040, anna`: in order, rows of numbers as one. */
export function contracted(dns: readonly string[]): string {
  const numbers = dns.filter((dn) => /^\d{1,15}$/.test(dn));
  const sorted = numbers.toSorted((one, other) => one.length - other.length || Number(one) - Number(other));
  const parts: [string, string][] = [];
  for (const dn of sorted) {
    const last = parts.at(-1);
    if (last && last[1].length === dn.length && Number(dn) === Number(last[1]) + 1) last[1] = dn;
    else parts.push([dn, dn]);
  }
  const names = dns.filter((dn) => !/^\d{1,15}$/.test(dn));
  const texts = [...parts.map(([from, to]) => (from === to ? from : `${from}-${to}`)), ...names];
  return texts.length > 12
    ? `${texts.slice(0, 12).join(", ")} and ${texts.length - 12} more`
    : texts.join(", ");
}
