import { rmdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import {
  loadCertificate,
  loadOrMakeCertificate,
  type CertificateSurroundings,
} from "./certificate/certificate.ts";
import { machineFolder } from "./certificate/folder.ts";
import { trust, untrust } from "./certificate/trust.ts";
import type { Pc, Say } from "./commands/command.ts";
import { execute } from "./commands/execute.ts";
import { secretStore } from "./credentials/credentials.ts";
import type { Program } from "./login/definitions.ts";
import { installAtLogin, installForAll, uninstallAtLogin, uninstallForAll } from "./login/login.ts";

/** `jackfield bridge install`, `uninstall`, `trust`, `untrust`: what is done once on a PC. */
export type SetupCommand = "install" | "uninstall" | "trust" | "untrust";

export interface SetupOptions {
  /** The bridge's own folder (`BridgeSettings.folder`). */
  readonly folder: string;
  /** `--machine`: for all users of this PC, by an administrator or an installer; Windows alone. */
  readonly machine: boolean;
  /** Further names in `folder` that are the bridge's: `uninstall` removes them, and nothing else that may lie there. */
  readonly entries: readonly string[];
  /** What starts at login. */
  readonly program: Program;
  readonly pc: Pc;
  readonly say: Say;
  readonly surroundings: CertificateSurroundings;
}

/** This machine, as the setup commands need it. */
export function thisPc(): Pc {
  return { platform: process.platform, env: process.env, home: homedir(), uid: process.getuid?.(), execute };
}

/** @returns exit code: 0 when all is as asked for */
export async function runSetup(command: SetupCommand, options: SetupOptions): Promise<number> {
  try {
    return (await setups[command](options)) ? 0 : 1;
  } catch (error) {
    options.say(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

const setups: Readonly<Record<SetupCommand, (options: SetupOptions) => Promise<boolean>>> = {
  async install(options) {
    const { program, folder, machine, pc, say } = options;
    if (!machine) return installAtLogin(program, folder, pc, say);
    const shared = machineFolder(pc);
    if (shared === undefined) return onlyOnWindows(say);
    if (!(await installForAll(program, shared, pc, say))) return false;
    if (await setups.trust(options)) return true;
    // The MSI takes its files away again when this fails, and cannot take the task.
    await uninstallForAll(pc, say);
    return false;
  },
  async trust(options) {
    const { pc, say, surroundings, machine } = options;
    const folder = folderOf(options);
    if (folder === undefined) return onlyOnWindows(say);
    const made = await loadOrMakeCertificate(folder, surroundings);
    if (!(await trust(made.authority, pc, say, { machine }))) return false;
    if (made.replaced !== undefined) {
      await untrust(made.replaced, pc, say, { machine });
      say("A bridge that runs shows the former certificate, which browsers take no more: start it anew.");
    }
    say("Trusted. Browsers that are open take it after their next start at the latest.");
    return true;
  },
  async untrust(options) {
    const { pc, say, machine } = options;
    const folder = folderOf(options);
    if (folder === undefined) return onlyOnWindows(say);
    const kept = loadCertificate(folder);
    if (kept === undefined) {
      say(`There is no certificate in ${folder}.`);
      return true;
    }
    if (!(await untrust(kept.authority, pc, say, { machine }))) return false;
    // Its key must not stay: who trusts anew gets a new one.
    rmSync(folder, { recursive: true, force: true });
    say(`Removed ${folder}.`);
    return true;
  },
  async uninstall(options) {
    const { folder, machine, pc, say, entries } = options;
    if (machine) {
      if (machineFolder(pc) === undefined) return onlyOnWindows(say);
      const removed = await uninstallForAll(pc, say);
      return (await setups.untrust(options)) && removed;
    }
    const ended = await uninstallAtLogin(folder, pc, say);
    const untrusted = await setups.untrust(options);
    await secretStore(folder, pc).clear();
    say("The agent's token is removed from this PC.");
    for (const name of [...entries, "certificate"])
      rmSync(join(folder, name), { recursive: true, force: true });
    removeIfEmpty(folder);
    return ended && untrusted;
  },
};

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Not there, or somebody else's files are in it.
  }
}

function folderOf({ machine, folder, pc }: SetupOptions): string | undefined {
  return machine ? machineFolder(pc) : join(folder, "certificate");
}

function onlyOnWindows(say: Say): false {
  say("--machine is for Windows. Elsewhere each user sets his own bridge up.");
  return false;
}
