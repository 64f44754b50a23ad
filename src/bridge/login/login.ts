import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runShown, shown, type Command, type Ended, type Pc, type Say } from "../commands/command.ts";
import { windowsProgram } from "../commands/windows-programs.ts";
import {
  agentLabel,
  allUsers,
  launchAgent,
  systemdUnit,
  taskName,
  unitName,
  windowsTask,
  type Program,
} from "./definitions.ts";

/** What a platform needs so that a program starts at this user's login. */
interface LoginStart {
  readonly file: string;
  readonly content: Buffer;
  /** Where one was installed already, before it is replaced; failures do no harm. */
  readonly stop: readonly Command[];
  /** After the file is written, in this order; each must succeed. */
  readonly enable: readonly Command[];
  /** Before the file is removed. */
  readonly disable: readonly Command[];
  /** Where one of `disable` failed: exit code 0 says that there is something left to end. Without it there is. */
  readonly look?: Command;
  /** What a person can do where it could not be ended. */
  readonly byHand: string;
  /** The file starts nothing: it stays for another try. */
  readonly isCopy?: boolean;
  /** Removed too, in case that `disable` could not. */
  readonly link?: string;
  /** After the file is removed. */
  readonly after: readonly Command[];
}

/**
 * Starts the bridge at this user's login, and now. Writes one file, shows it and each command that is run. Idempotent: what was
 * installed before is replaced, and a bridge that runs is started anew.
 * @param folder the bridge's own
 * @returns whether all went well
 */
export async function installAtLogin(program: Program, folder: string, pc: Pc, say: Say): Promise<boolean> {
  const start = loginStart(program, folder, pc);
  if (start === undefined) return unknownPlatform(pc, say);
  if (existsSync(start.file)) for (const command of start.stop) await runShown(command, pc, say);
  say(`writing ${start.file}:`);
  say(textOf(start.content));
  mkdirSync(dirname(start.file), { recursive: true });
  writeFileSync(start.file, start.content, { mode: 0o644 });
  for (const command of start.enable) {
    const { code } = await runShown(command, pc, say);
    if (code !== 0) {
      say(
        'The bridge does not start at login: have the desktop start "jackfield bridge" (docs/bridge-install.md).',
      );
      return false;
    }
  }
  say("The bridge starts at login, and runs now.");
  return true;
}

/**
 * Ends the bridge and takes the start at login back; nothing of it stays. Idempotent.
 * @returns false where a bridge may still run: said, with what can be done
 */
export async function uninstallAtLogin(folder: string, pc: Pc, say: Say): Promise<boolean> {
  const start = loginStart(nothing, folder, pc);
  if (start === undefined) return unknownPlatform(pc, say);
  if (!existsSync(start.file)) {
    say("The bridge was not started at login.");
    return true;
  }
  const ended = await endNow(start, pc, say);
  if (!ended && start.isCopy) return false;
  say(`removing ${start.file}`);
  rmSync(start.file, { force: true });
  if (start.link !== undefined) rmSync(start.link, { force: true });
  for (const command of start.after) await runShown(command, pc, say);
  return ended;
}

/** Whether nothing of it runs any more. */
async function endNow({ disable, look, byHand }: LoginStart, pc: Pc, say: Say): Promise<boolean> {
  const codes: Ended["code"][] = [];
  for (const command of disable) codes.push((await runShown(command, pc, say)).code);
  // A program that is not there has started nothing.
  if (codes.every((code) => code === 0 || code === "missing")) return true;
  const left = look === undefined ? 0 : (await pc.execute(look)).code;
  if (typeof left === "number" && left !== 0) return true;
  say(`The bridge may still run. ${byHand}`);
  return false;
}

/**
 * Starts the bridge at the login of everybody at this PC: one task, by an administrator. Windows alone. Idempotent.
 * @param folder where administrators alone write
 */
export async function installForAll(program: Program, folder: string, pc: Pc, say: Say): Promise<boolean> {
  const file = join(folder, "login-task.xml");
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, forSchtasks(windowsTask(program, allUsers)));
  try {
    const { code } = await runShown(schtasks(pc, "/Create", "/F", "/XML", file), pc, say);
    if (code === 0) say("The bridge starts at the next login of each user.");
    return code === 0;
  } finally {
    rmSync(file, { force: true });
  }
}

/** Takes `installForAll` back and ends the bridges that it started. */
export async function uninstallForAll(pc: Pc, say: Say): Promise<boolean> {
  await runShown(schtasks(pc, "/End"), pc, say);
  const { code } = await runShown(schtasks(pc, "/Delete", "/F"), pc, say);
  return code === 0;
}

const nothing: Program = { node: "", script: "", args: [] };

function loginStart(program: Program, folder: string, pc: Pc): LoginStart | undefined {
  const platforms: Partial<Record<NodeJS.Platform, () => LoginStart>> = {
    win32: () => onWindows(program, folder, pc),
    darwin: () => onMac(program, pc),
    linux: () => onLinux(program, pc),
  };
  return platforms[pc.platform]?.();
}

function onWindows(program: Program, folder: string, pc: Pc): LoginStart {
  const { USERDOMAIN: domain, USERNAME: name = "" } = pc.env;
  const file = join(folder, "login-task.xml");
  const task = windowsTask(program, { userId: domain === undefined ? name : `${domain}\\${name}` });
  const remove = schtasks(pc, "/Delete", "/F");
  return {
    file,
    content: forSchtasks(task),
    stop: [schtasks(pc, "/End")],
    enable: [schtasks(pc, "/Create", "/F", "/XML", file), schtasks(pc, "/Run")],
    disable: [schtasks(pc, "/End"), remove],
    look: schtasks(pc, "/Query"),
    byHand: `As administrator: ${shown(remove)}; then uninstall once more.`,
    isCopy: true,
    after: [],
  };
}

function schtasks(pc: Pc, ...args: readonly string[]): Command {
  return { program: windowsProgram(pc, "schtasks.exe"), args: [...args, "/TN", taskName] };
}

/** It takes UTF-16 alone. */
function forSchtasks(task: string): Buffer {
  return Buffer.from(`\uFEFF${task.replaceAll("\n", "\r\n")}`, "utf16le");
}

function onMac(program: Program, { home, uid = 0 }: Pc): LoginStart {
  const file = join(home, "Library", "LaunchAgents", `${agentLabel}.plist`);
  const launchctl = (...args: readonly string[]): Command => ({ program: "/bin/launchctl", args });
  const domain = `gui/${uid}`;
  const out = launchctl("bootout", `${domain}/${agentLabel}`);
  return {
    file,
    content: Buffer.from(launchAgent(program)),
    stop: [out],
    enable: [launchctl("enable", `${domain}/${agentLabel}`), launchctl("bootstrap", domain, file)],
    disable: [out],
    look: launchctl("print", `${domain}/${agentLabel}`),
    byHand: `It ends when you log out, or in your own session by: ${shown(out)}`,
    after: [],
  };
}

function onLinux(program: Program, { home, env }: Pc): LoginStart {
  const systemctl = (...args: readonly string[]): Command => ({
    program: "systemctl",
    args: ["--user", ...args],
  });
  const stop = systemctl("stop", unitName);
  const units = join(env["XDG_CONFIG_HOME"] ?? join(home, ".config"), "systemd", "user");
  return {
    file: join(units, unitName),
    content: Buffer.from(systemdUnit(program)),
    link: join(units, "graphical-session.target.wants", unitName),
    stop: [],
    enable: [systemctl("daemon-reload"), systemctl("enable", unitName), systemctl("restart", unitName)],
    disable: [systemctl("disable", "--now", unitName)],
    byHand: `It ends when you log out, or in a terminal of your own session by: ${shown(stop)}`,
    after: [systemctl("daemon-reload")],
  };
}

function textOf(content: Buffer): string {
  return content[0] === 0xff ? content.toString("utf16le").slice(1) : content.toString("utf8");
}

function unknownPlatform({ platform }: Pc, say: Say): false {
  say(
    `how programs start at login on ${platform} is not known here: start "jackfield bridge" by your own means`,
  );
  return false;
}
