import { dnsOfRange, rangeContains } from "./ranges.ts";
import type { AccountConfig, Config, RangeConfig } from "./types.ts";

/** What a browser proves it knows: the password, or hashes of it (RFC 7616 3.4.2), at least one of the two. */
export type AgentCredentials =
  /** Tokens alone sign in. */
  | { readonly kind: "none" }
  | { readonly kind: "password"; readonly password: string }
  | { readonly kind: "ha1"; readonly md5: string | undefined; readonly sha256: string | undefined };

export interface AgentAccount {
  readonly dn: string;
  readonly displayName: string | undefined;
  readonly credentials: AgentCredentials;
}

const noPassword: AgentCredentials = { kind: "none" };

/** The account of a DN, its own entry before the range it lies in; undefined when nobody may sign in with it. */
export function findAccount(config: Config, dn: string): AgentAccount | undefined {
  const own = accountsByDn(config).get(dn);
  const found = own ? ownCredentials(own) : rangeCredentials(rangeOf(config, dn), dn);
  const credentials = found ?? (config.agents.jwt && (own ?? rangeOf(config, dn)) ? noPassword : undefined);
  return credentials && { dn, displayName: own?.displayName, credentials };
}

/** Every DN of accounts, their file and ranges, once. */
export function configuredDns({ agents }: Config): string[] {
  const own = [...agents.accounts, ...agents.fileAccounts].map(({ dn }) => dn);
  return Array.from(new Set([...own, ...agents.ranges.flatMap(dnsOfRange)]));
}

/**
 * User name and password for SIP Server's digest; undefined when no password is configured for the DN.
 * `own`: what others than the configuration say is its password.
 */
export function trunkCredentials(
  config: Config,
  dn: string,
  own?: string,
): { readonly username: string; readonly password: string } | undefined {
  const { auth } = config.sipServer;
  const entry = accountsByDn(config).get(dn) ?? rangeOf(config, dn);
  const password = own ?? entry?.trunkPassword ?? auth.password;
  return password === ""
    ? undefined
    : { username: withDn(auth.username, dn), password: withDn(password, dn) };
}

/** Whether calls to a DN are answered without waiting for NOTIFY talk: its own entry before its range's and the default. */
export function autoAnswerOf(config: Config, dn: string): Config["agents"]["autoAnswer"] {
  const entry = accountsByDn(config).get(dn) ?? rangeOf(config, dn);
  return entry?.autoAnswer ?? config.agents.autoAnswer;
}

function ownCredentials({ dn, password, ha1, ha1Sha256 }: AccountConfig): AgentCredentials | undefined {
  if (password !== undefined) return { kind: "password", password: withDn(password, dn) };
  return ha1 === undefined && ha1Sha256 === undefined
    ? undefined
    : { kind: "ha1", md5: ha1, sha256: ha1Sha256 };
}

function rangeCredentials(range: RangeConfig | undefined, dn: string): AgentCredentials | undefined {
  const own = range?.passwords && Object.hasOwn(range.passwords, dn) ? range.passwords[dn] : undefined;
  const password = own ?? range?.password;
  return password === undefined ? undefined : { kind: "password", password: withDn(password, dn) };
}

function rangeOf(config: Config, dn: string): RangeConfig | undefined {
  return config.agents.ranges.find((range) => rangeContains(range, dn));
}

function withDn(text: string, dn: string): string {
  return text.replaceAll("{dn}", () => dn);
}

/** Sign-ins look accounts up one by one; the configuration is frozen, so its index stays right. */
const indexes = new WeakMap<Config, ReadonlyMap<string, AccountConfig>>();

function accountsByDn(config: Config): ReadonlyMap<string, AccountConfig> {
  let index = indexes.get(config);
  if (!index) {
    const { accounts, fileAccounts } = config.agents;
    index = new Map([...fileAccounts, ...accounts].map((account) => [account.dn, account]));
    indexes.set(config, index);
  }
  return index;
}
