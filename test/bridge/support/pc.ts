import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { shown, type Command, type Ended, type Pc } from "../../../src/bridge/commands/command.ts";

/** A PC whose programs do nothing but be recorded; `answer` says how each ends (default: exit code 0, no output). */
export class RecordingPc implements Pc {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly uid = 501;
  readonly ran: Command[] = [];
  readonly said: string[] = [];
  answer: (command: Command) => Partial<Ended> = () => ({});

  constructor(platform: NodeJS.Platform, env: Readonly<Record<string, string>> = {}) {
    this.platform = platform;
    this.env = env;
    this.home = newFolder();
  }

  readonly execute = (command: Command): Promise<Ended> => {
    this.ran.push(command);
    return Promise.resolve({ code: 0, stdout: "", stderr: "", ...this.answer(command) });
  };

  readonly say = (line: string): void => {
    this.said.push(line);
  };

  /** What was run, with the home folder as `~`. */
  get lines(): string[] {
    return this.ran.map((command) => shown(command).replaceAll(this.home, "~"));
  }
}

/** An empty folder that goes with the test. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "jackfield-bridge-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
