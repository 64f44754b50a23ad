import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runShown, type Command, type Pc, type Say } from "../commands/command.ts";
import { windowsProgram } from "../commands/windows-programs.ts";
import type { StoreTrust } from "../contract.ts";
import type { Authority, BridgeCertificate } from "./certificate.ts";
import { authorityName } from "./names.ts";

export interface TrustOptions {
  /** For all users of this PC, by an administrator: Windows alone. */
  readonly machine?: boolean;
}

/** What is run, in this order, and whether the first command's success says that there is nothing to do. */
interface TrustCommands {
  /** Exit code 0: it is trusted already. On macOS its output is looked at. */
  readonly look: Command;
  readonly add: readonly Command[];
  readonly remove: readonly Command[];
}

/** Where a program that is missing comes from. */
export const remedies: Readonly<Record<string, string>> = {
  certutil:
    "Chromium's certificates are kept by NSS: install its tools (Debian, Ubuntu: apt install libnss3-tools; Fedora: dnf install nss-tools)",
};

/**
 * Makes this user's browsers trust the bridge's certificate; shows each command before it runs. Idempotent.
 * @returns whether it is trusted now, as far as the stores tell
 */
export function trust(authority: Authority, pc: Pc, say: Say, options: TrustOptions = {}): Promise<boolean> {
  return change("add", authority, pc, say, options);
}

/** Takes the trust back. Idempotent. @returns whether no store has it any more */
export function untrust(
  authority: Authority,
  pc: Pc,
  say: Say,
  options: TrustOptions = {},
): Promise<boolean> {
  return change("remove", authority, pc, say, options);
}

const words = {
  add: {
    done: "trusted already",
    doing: "trusting the certificate of this PC's bridge (for localhost, 127.0.0.1 and ::1 alone)",
  },
  remove: { done: "not trusted, nothing to remove", doing: "removing" },
};

async function change(
  how: "add" | "remove",
  authority: Authority,
  pc: Pc,
  say: Say,
  options: TrustOptions,
): Promise<boolean> {
  const stores = storesOf(authority, pc, options);
  if (stores === undefined) return unknownPlatform(pc, say);
  let good = true;
  for (const [store, commands] of stores) {
    const isThere = (await isIn(commands.look, authority, pc)) ?? false;
    if (isThere === (how === "add")) {
      say(`${store}: ${words[how].done}`);
      continue;
    }
    say(`${store}: ${words[how].doing}`);
    writeFileSync(authority.file, authority.pem);
    const done = await all(commands[how], pc, say);
    good &&= done;
  }
  return good;
}

/** Whether each store of this user's browsers has the authority; none where no store is known for the platform. */
export async function trustIn(
  authority: Authority,
  pc: Pc,
  options: TrustOptions = {},
): Promise<readonly StoreTrust[]> {
  const stores = storesOf(authority, pc, options) ?? [];
  return await Promise.all(
    stores.map(async ([store, { look }]) => ({ store, trusted: await isIn(look, authority, pc) })),
  );
}

/** Whether every store of this user's browsers has the authority; false also where no program can tell. */
export async function isTrusted(authority: Authority, pc: Pc): Promise<boolean> {
  const found = await trustIn(authority, pc);
  return found.length > 0 && found.every(({ trusted }) => trusted);
}

/**
 * After a renewal: when the certificate before was trusted, its successor is, and the old one no longer.
 * @returns whether the certificate is trusted now
 */
export async function keepTrusted(
  { authority, replaced }: BridgeCertificate,
  pc: Pc,
  say: Say,
): Promise<boolean> {
  if (replaced === undefined || !(await isTrusted(replaced, pc))) return isTrusted(authority, pc);
  const trusted = await trust(authority, pc, say);
  if (trusted) await untrust(replaced, pc, say);
  return trusted;
}

/** Undefined: the program that could tell is not there, or did not end. */
async function isIn(look: Command, { sha1 }: Authority, pc: Pc): Promise<boolean | undefined> {
  const { code, stdout } = await pc.execute(look);
  if (typeof code === "string") return undefined;
  return code === 0 && (pc.platform !== "darwin" || stdout.includes(sha1));
}

async function all(commands: readonly Command[], pc: Pc, say: Say): Promise<boolean> {
  for (const command of commands) {
    const ended = await runShown(command, pc, say);
    if (ended.code === 0) continue;
    const remedy = ended.code === "missing" ? remedies[command.program] : undefined;
    if (remedy !== undefined) say(`  ${remedy}, then run this again`);
    return false;
  }
  return true;
}

function unknownPlatform({ platform }: Pc, say: Say): false {
  say(`no store of certificates is known for ${platform}: trust the file authority.pem by hand`);
  return false;
}

type Stores = readonly (readonly [name: string, commands: TrustCommands])[];

type StoresOf = (authority: Authority, pc: Pc, machine: boolean) => Stores;

function storesOf(authority: Authority, pc: Pc, { machine = false }: TrustOptions): Stores | undefined {
  const platforms: Partial<Record<NodeJS.Platform, StoresOf>> = {
    win32: windowsStores,
    darwin: macStores,
    linux: nssStores,
  };
  return platforms[pc.platform]?.(authority, pc, machine);
}

/** Chrome, Edge and (from 120, by its default) Firefox read the user's and the machine's Root stores. */
function windowsStores({ file, sha1 }: Authority, pc: Pc, machine: boolean): Stores {
  const program = windowsProgram(pc, "certutil.exe");
  const whose = machine ? [] : ["-user"];
  const command = (...args: readonly string[]): Command => ({ program, args: [...whose, ...args] });
  const commands = {
    look: command("-store", "Root", sha1),
    add: [command("-addstore", "Root", file)],
    remove: [command("-delstore", "Root", sha1)],
  };
  return [[machine ? "Root store of this PC" : "your Root store", commands]];
}

function macStores({ file, sha1 }: Authority, { home }: Pc): Stores {
  const keychain = join(home, "Library", "Keychains", "login.keychain-db");
  const security = (...args: readonly string[]): Command => ({ program: "/usr/bin/security", args });
  const commands = {
    look: security("find-certificate", "-a", "-Z", "-c", authorityName, keychain),
    add: [security("add-trusted-cert", "-r", "trustRoot", "-p", "ssl", "-k", keychain, file)],
    remove: [security("remove-trusted-cert", file), security("delete-certificate", "-Z", sha1, keychain)],
  };
  return [["your login keychain", commands]];
}

/**
 * Databases of this user's browsers: Chrome's and Edge's (one for both, made when it is not there), Chromium's as a snap, and
 * one for each Firefox profile.
 */
function nssDatabases({ home, env }: Pc): readonly string[] {
  const data = env["XDG_DATA_HOME"] ?? join(home, ".local", "share");
  const classic = join(home, ".pki", "nssdb");
  const moved = join(data, "pki", "nssdb");
  const firefox = [join(home, ".mozilla", "firefox"), join(home, "snap/firefox/common/.mozilla/firefox")];
  const others = [
    join(home, "snap/chromium/current/.pki/nssdb"),
    ...firefox.flatMap((folder) => foldersIn(folder).map((profile) => join(folder, profile))),
  ].filter((folder) => existsSync(join(folder, "cert9.db")));
  return [classic, ...(existsSync(join(moved, "cert9.db")) ? [moved] : []), ...others];
}

const nssStores: StoresOf = (authority, pc) =>
  nssDatabases(pc).map((folder) => [folder, nssCommands(authority, folder)]);

function foldersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function nssCommands({ file, sha1 }: Authority, folder: string): TrustCommands {
  const database = ["-d", `sql:${folder}`];
  const name = `${authorityName} ${sha1}`;
  const certutil = (...args: readonly string[]): Command => ({
    program: "certutil",
    args: [...database, ...args],
  });
  const make = { program: "mkdir", args: ["-p", "-m", "700", folder] };
  const isThere = existsSync(join(folder, "cert9.db"));
  return {
    look: certutil("-L", "-n", name),
    add: [
      ...(isThere ? [] : [make, certutil("-N", "--empty-password")]),
      // C: may sign for servers, and for nothing else.
      certutil("-A", "-t", "C,,", "-n", name, "-i", file),
    ],
    remove: [certutil("-D", "-n", name)],
  };
}
