import { win32 } from "node:path";
import type { Pc } from "./command.ts";

/** Absolute path of a program below `System32`: Windows would look in the current folder first. */
export function windowsProgram({ env }: Pick<Pc, "env">, ...path: readonly string[]): string {
  return win32.join(env["SystemRoot"] ?? env["SYSTEMROOT"] ?? "C:\\Windows", "System32", ...path);
}
