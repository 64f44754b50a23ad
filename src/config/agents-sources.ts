import { createPublicKey, type KeyObject } from "node:crypto";
import { resolve } from "node:path";
import { readAccountsFile } from "./accounts-file.ts";
import { goesInTheClear } from "./loopback.ts";
import type { JwtAlgorithm } from "./account-sources.ts";
import type { Say } from "./rules/index.ts";
import type { ParsedConfig } from "./schema.ts";
import { eitherSecret, fileSecret } from "./secret-files.ts";
import { readNamedFile } from "./secrets.ts";
import type { AccountConfig, Config, JwtConfig, LookupConfig } from "./types.ts";

type ParsedAgents = ParsedConfig["agents"];

/** Bad lines of the accounts file told one by one; further ones are counted. */
const linesTold = 20;
const leastSecret = 32;
const leastRsaBits = 2048;

/** The accounts in the file, with the faults of all its lines. */
export function resolveAccountsFile(
  agents: ParsedAgents,
  accounts: readonly AccountConfig[],
  directory: string,
  say: Say,
): Pick<Config["agents"], "accountsFile" | "fileAccounts"> {
  if (agents.accountsFile === undefined) return { fileAccounts: [] };
  const path = resolve(directory, agents.accountsFile);
  const read = accountsFrom(path, agents.realm, accounts);
  for (const reason of read.faults)
    say.fault(["agents", "accountsFile"], reason, "correct the file: a line is dn:password or dn:realm:HA1");
  return { accountsFile: path, fileAccounts: read.accounts };
}

/** What the accounts file in force says now, and what is wrong with it, in words without a secret. Never throws. */
export function reloadAccountsFile({ agents }: Config): {
  readonly accounts: readonly AccountConfig[];
  readonly faults: readonly string[];
} {
  return agents.accountsFile === undefined
    ? { accounts: [], faults: [] }
    : accountsFrom(agents.accountsFile, agents.realm, agents.accounts);
}

function accountsFrom(path: string, realm: string, accounts: readonly AccountConfig[]) {
  const read = readNamedFile("/", path);
  if ("reason" in read) return { accounts: [], faults: [read.reason] };
  const taken = new Set(accounts.map(({ dn }) => dn));
  const { accounts: found, badLines } = readAccountsFile(read.text, { realm, taken });
  const faults = badLines.slice(0, linesTold).map(({ line, reason }) => `line ${line} ${reason}`);
  if (badLines.length > linesTold) faults.push(`has ${badLines.length - linesTold} more such lines`);
  return { accounts: found, faults };
}

/** Checks how tokens are to be judged, and reads the key. */
export function resolveJwt(jwt: ParsedAgents["jwt"], directory: string, say: Say): JwtConfig | undefined {
  if (!jwt) return undefined;
  const { secretFile, publicKeyFile, jwksUrl, algorithms: asked, ...rest } = jwt;
  const path = ["agents", "jwt"];
  const given = [jwt.secret, secretFile, publicKeyFile, jwksUrl].filter((one) => one !== undefined);
  if (given.length !== 1)
    say.fault(path, "needs exactly one key", "write one of secret, secretFile, publicKeyFile, jwksUrl");
  const secret = jwt.secret ?? fileSecret([...path, "secretFile"], secretFile, directory, say);
  if (secret !== undefined && secret.length < leastSecret)
    say.fault([...path, "secretFile"], `holds fewer than ${leastSecret} characters`, "openssl rand -hex 32");
  const symmetric = jwt.secret !== undefined || secretFile !== undefined;
  const algorithms: readonly JwtAlgorithm[] = asked ?? [symmetric ? "HS256" : "RS256"];
  // Else whoever has the public key, that is everybody, could sign with it as the secret of HS256.
  if (algorithms.some((algorithm) => (algorithm === "HS256") !== symmetric))
    say.fault(
      [...path, "algorithms"],
      "does not go with the key",
      "HS256 takes a secret, the others a public key",
    );
  if (jwksUrl !== undefined) checkHttps([...path, "jwksUrl"], jwksUrl, jwt.allowInsecure, say);
  const publicKey =
    publicKeyFile === undefined
      ? undefined
      : publicKeyOf([...path, "publicKeyFile"], publicKeyFile, directory, say);
  return {
    ...rest,
    algorithms,
    ...(secret === undefined ? {} : { secret }),
    ...(publicKey === undefined ? {} : { publicKey }),
    ...(jwksUrl === undefined ? {} : { jwksUrl }),
  };
}

function publicKeyOf(path: string[], file: string, directory: string, say: Say): string | undefined {
  const read = readNamedFile(directory, file);
  if ("reason" in read) {
    say.fault(
      path,
      read.reason,
      "name a readable PEM file; relative names count from the configuration file",
    );
    return undefined;
  }
  const key = parsedKey(read.text);
  const bits = key?.asymmetricKeyDetails?.modulusLength;
  if (!key || /PRIVATE KEY/.test(read.text))
    say.fault(path, "holds no public key and no certificate in PEM", "openssl pkey -pubout -in private.pem");
  else if (bits !== undefined && bits < leastRsaBits)
    say.fault(path, `holds an RSA key of ${bits} bits`, `take one of ${leastRsaBits} bits or more`);
  return key?.export({ type: "spki", format: "pem" }).toString();
}

function parsedKey(pem: string): KeyObject | undefined {
  try {
    return createPublicKey(pem);
  } catch {
    return undefined;
  }
}

/** Checks the directory's address and reads the secret it is asked with. */
export function resolveLookup(
  lookup: ParsedAgents["lookup"],
  directory: string,
  say: Say,
): LookupConfig | undefined {
  if (!lookup) return undefined;
  const { secretFile, ...rest } = lookup;
  const path = ["agents", "lookup"];
  const keys = { section: path, name: "secret", value: lookup.secret, file: secretFile };
  const secret = eitherSecret(keys, directory, say);
  if (secret !== undefined && !/^[\x21-\x7e]+$/.test(secret))
    say.fault(
      [...path, "secretFile"],
      "holds what no HTTP header can carry",
      "write letters, digits and signs",
    );
  checkHttps([...path, "url"], lookup.url, lookup.allowInsecure, say);
  const { origin } = new URL(lookup.url);
  if (origin.includes("{") || origin.includes("%7B"))
    say.fault([...path, "url"], "has {dn} in its host", "write {dn} into the path or query");
  return { ...rest, ...(secret === undefined ? {} : { secret }) };
}

function checkHttps(path: string[], url: string, allowed: boolean, say: Say): void {
  if (!goesInTheClear(url) || allowed) return;
  say.fault(path, "is plain HTTP", "write https://, or allowInsecure: true beside it (RISK)");
}
