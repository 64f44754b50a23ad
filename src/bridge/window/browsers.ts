import { posix, win32 } from "node:path";
import { windowsProgram } from "../commands/windows-programs.ts";
import type { Machine } from "../contract.ts";

/**
 * The program of the installed Chrome, Edge or Chromium, the first that is there; undefined where none is. On Windows the
 * registry's App Paths are asked, then the usual folders are looked into.
 */
export async function findBrowser(machine: Machine): Promise<string | undefined> {
  const found = candidates(machine).find((path) => machine.isFile(path));
  if (found !== undefined || machine.platform !== "win32") return found;
  return await fromAppPaths(machine);
}

function candidates({ platform, env, home }: Machine): string[] {
  if (platform === "win32") return onWindows(env);
  if (platform === "darwin") {
    const programs = ["Google Chrome", "Microsoft Edge", "Chromium"];
    const folders = ["/Applications", posix.join(home, "Applications")];
    return programs.flatMap((name) =>
      folders.map((folder) => `${folder}/${name}.app/Contents/MacOS/${name}`),
    );
  }
  const names = [
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "microsoft-edge-stable",
    "chromium",
    "chromium-browser",
  ];
  // What is in no absolute folder is nobody's installed browser.
  const folders = (env["PATH"] ?? "/usr/bin").split(":").filter((folder) => folder.startsWith("/"));
  return names.flatMap((name) => folders.map((folder) => posix.join(folder, name)));
}

function onWindows(env: Machine["env"]): string[] {
  const places = ["Google\\Chrome\\Application\\chrome.exe", "Microsoft\\Edge\\Application\\msedge.exe"];
  const folders = ["ProgramFiles", "ProgramFiles(x86)", "LOCALAPPDATA"].flatMap((name) => env[name] ?? []);
  return places.flatMap((place) => folders.map((folder) => win32.join(folder, place)));
}

const appPaths = "Software\\Microsoft\\Windows\\CurrentVersion\\App Paths";

async function fromAppPaths(machine: Machine): Promise<string | undefined> {
  const reg = windowsProgram(machine, "reg.exe");
  for (const program of ["chrome.exe", "msedge.exe"])
    for (const root of ["HKLM", "HKCU"]) {
      const text = await machine.run(reg, ["query", `${root}\\${appPaths}\\${program}`, "/ve"]);
      const [, quoted = ""] = /REG_(?:EXPAND_)?SZ {4}(.+?)\r?$/m.exec(text ?? "") ?? [];
      const path = quoted.replaceAll('"', "");
      if (path !== "" && machine.isFile(path)) return path;
    }
  return undefined;
}
