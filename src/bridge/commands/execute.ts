import { execFile } from "node:child_process";
import type { Command, Ended } from "./command.ts";

/** A store that asks its user for a password may take a while; one that nobody answers must not hold the bridge for ever. */
const limitMs = 60_000;
const mostOutput = 1024 * 1024;

/** Runs a command on this machine, 60 s at most. */
export function execute({ program, args, input }: Command): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { timeout: limitMs, maxBuffer: mostOutput, windowsHide: true, encoding: "utf8" } as const;
    const child = execFile(program, [...args], options, (error, stdout, stderr) => {
      resolve({ code: codeOf(error), stdout, stderr });
    });
    // A program that ends without reading what it is given: its exit code tells.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input ?? "");
  });
}

function codeOf(error: (Error & { readonly code?: unknown }) | null): Ended["code"] {
  if (error === null) return 0;
  if (typeof error.code === "number") return error.code;
  return error.code === "ENOENT" || error.code === "EACCES" ? "missing" : "cut";
}
