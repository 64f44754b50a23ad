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
    const { join } = win32;
    const local = env["LOCALAPPDATA"] ?? join(home, "AppData", "Local");
    const folder = join(local, "Jackfield", "Bridge");
    const machine = join(env["ProgramData"] ?? "C:\\ProgramData", "Jackfield", "bridge.json");
    return { files: [join(folder, "bridge.json"), machine], folder };
  }
  const { join } = posix;
  if (platform === "darwin") {
    const support = "Library/Application Support/Jackfield";
    const folder = join(home, support, "Bridge");
    return { files: [join(folder, "bridge.json"), join("/", support, "bridge.json")], folder };
  }
  const own = env["XDG_CONFIG_HOME"] ?? join(home, ".config");
  const state = env["XDG_STATE_HOME"] ?? join(home, ".local", "state");
  return {
    files: [join(own, "jackfield", "bridge.json"), "/etc/jackfield/bridge.json"],
    folder: join(state, "jackfield", "bridge"),
  };
}
