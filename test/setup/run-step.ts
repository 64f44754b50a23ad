import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";

const KILL_AFTER_MS = 5_000;

/** How a command ended: exit code, or why there is none. */
export interface Ended {
  readonly code: number;
  readonly timedOut: boolean;
}

/**
 * Runs a command with our output, or the file `log` for it, and no input, and ends it and all it started when it takes longer than `limitMs`.
 * Never rejects: a command that cannot start ends with code 127.
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  limitMs: number,
  log?: string,
): Promise<Ended> {
  return await new Promise<Ended>((resolve) => {
    const output = log === undefined ? "inherit" : openSync(log, "w");
    // A process group of its own, so that what hangs ends with its workers and browsers.
    const child = spawn(command, args, { stdio: ["ignore", output, output], detached: true });
    if (output !== "inherit") closeSync(output);
    const kill = (signal: NodeJS.Signals): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, signal);
      } catch {
        // The group is gone already.
      }
    };
    let timedOut = false;
    const limit = setTimeout(() => {
      timedOut = true;
      kill("SIGTERM");
      setTimeout(() => kill("SIGKILL"), KILL_AFTER_MS).unref();
    }, limitMs);
    const stop = (): void => {
      kill("SIGTERM");
      // After the listeners of other commands that run at this time: they end theirs.
      setImmediate(() => process.exit(130));
    };
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
    const end = (code: number): void => {
      clearTimeout(limit);
      process.removeListener("SIGINT", stop);
      process.removeListener("SIGTERM", stop);
      resolve({ code, timedOut });
    };
    child.once("error", (error) => {
      process.stderr.write(`${command}: ${error.message}\n`);
      end(127);
    });
    child.once("exit", (code) => end(code ?? 1));
  });
}
