import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { homedir } from "node:os";
import type { Clock } from "../core/index.ts";
import { execute } from "./commands/execute.ts";
import type { Machine, StartedProgram } from "./contract.ts";

/** Between asking a program to end and ending it, ms. */
const killMs = 3000;

/** The machine this runs on. */
export function systemMachine(clock: Clock): Machine {
  return {
    platform: process.platform,
    env: process.env,
    home: homedir(),
    isFile,
    start: (program, args) => startProgram(clock, program, args),
    run: async (program, args) => {
      const { code, stdout } = await execute({ program, args });
      return code === 0 ? stdout : undefined;
    },
  };
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function startProgram(clock: Clock, program: string, args: readonly string[]): StartedProgram {
  const child = spawn(program, args, { stdio: "ignore" });
  const exited = new Promise<Awaited<StartedProgram["exited"]>>((resolve) => {
    child.once("error", (error) => resolve({ code: null, failed: error.message }));
    child.once("exit", (code) => resolve({ code }));
  });
  return {
    exited,
    kill: () => {
      child.kill();
      const timer = clock.setTimer(killMs, () => child.kill("SIGKILL"));
      void exited.then(() => timer.clear());
    },
  };
}
