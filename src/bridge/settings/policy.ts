import { windowsProgram } from "../commands/windows-programs.ts";
import type { Machine } from "../contract.ts";
import type { SettingSource } from "./keys.ts";

/** The key that group policy writes; users may read it and not change it. */
export const policyKey = "HKLM\\Software\\Policies\\Jackfield\\Bridge";

/** What group policy sets, undefined where there is none: its values have the whole names of the keys (`gateway.url`). */
export async function readPolicy(
  machine: Pick<Machine, "platform" | "env" | "run">,
): Promise<SettingSource | undefined> {
  if (machine.platform !== "win32") return undefined;
  const text = await machine.run(windowsProgram(machine, "reg.exe"), ["query", policyKey]);
  return text === undefined ? undefined : { name: policyKey, values: parsePolicy(text) };
}

/** What `reg query` prints: four blanks, name, type and value with four blanks between. */
export function parsePolicy(text: string): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const line of text.split(/\r?\n/)) {
    const [, name, value = ""] =
      /^ {4}([\w.]+) {4}REG_(?:SZ|EXPAND_SZ|MULTI_SZ|DWORD|QWORD)(?: {4}(.*))?$/.exec(line) ?? [];
    if (name !== undefined) values.set(name, value);
  }
  return values;
}
