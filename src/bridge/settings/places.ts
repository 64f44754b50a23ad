import { posix, win32 } from "node:path";
import type { Machine } from "../contract.ts";

export interface Places {
  /** Settings files; an earlier one decides over a later one. */
  readonly files: readonly string[];
  /** Folder of the bridge's own, for this user. */
  readonly folder: string;
}

/** Where settings and state lie: the person's own file before the machine's. */
export function placesOf({ platform, env, home }: Pick<Machine, "platform" | "env" | "home">): Places {
  if (platform === "win32") {
    const local = env["LOCALAPPDATA"] ?? win32.join(home, "AppData", "Local");
    const folder = win32.join(local, "Jackfield", "Bridge");
    // Administrators alone write there; below ProgramData any user could name a browser that others then run.
    const machine = win32.join(env["ProgramFiles"] ?? "C:\\Program Files", "Jackfield Bridge", "bridge.json");
    return { files: [win32.join(folder, "bridge.json"), machine], folder };
  }
  if (platform === "darwin") {
    const support = "Library/Application Support/Jackfield";
    const folder = posix.join(home, support, "Bridge");
    return { files: [posix.join(folder, "bridge.json"), posix.join("/", support, "bridge.json")], folder };
  }
  const own = env["XDG_CONFIG_HOME"] ?? posix.join(home, ".config");
  const state = env["XDG_STATE_HOME"] ?? posix.join(home, ".local", "state");
  return {
    files: [posix.join(own, "jackfield", "bridge.json"), "/etc/jackfield/bridge.json"],
    folder: posix.join(state, "jackfield", "bridge"),
  };
}
