/** A program of the operating system's, run to its end. Never through a shell; secrets only by `input`, never in `args`. */
export interface Command {
  /** Absolute where the platform has one place for it, so that nothing in the current folder is taken for it. */
  readonly program: string;
  readonly args: readonly string[];
  /** Written to its standard input, which is closed then; without it there is none. */
  readonly input?: string;
}

/** How a command ended. */
export interface Ended {
  /** Exit code; "missing" when there is no such program, "cut" when a signal or the time limit ended it. */
  readonly code: number | "missing" | "cut";
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end; never rejects. */
export type Execute = (command: Command) => Promise<Ended>;

/** What these functions must know of the agent's PC; tests pass others. */
export interface Pc {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home folder. */
  readonly home: string;
  /** User id; undefined on Windows. */
  readonly uid: number | undefined;
  readonly execute: Execute;
}

/** Tells whoever sits before the machine what is done, line by line. */
export type Say = (line: string) => void;

/** What can be typed to do the same by hand; for showing alone, it is never given to a shell. */
export function shown({ program, args, input }: Command): string {
  const words = [program, ...args].map((word) => (/^[\w@%+=:,./\\-]+$/.test(word) ? word : `"${word}"`));
  return `${words.join(" ")}${input === undefined ? "" : " < (standard input)"}`;
}

/** Shows a command, runs it, and tells of it when it fails. */
export async function runShown(command: Command, pc: Pc, say: Say): Promise<Ended> {
  say(`  ${shown(command)}`);
  const ended = await pc.execute(command);
  if (ended.code !== 0) say(`  failed: ${whyFailed(command, ended)}`);
  return ended;
}

/** Why a command failed, in one line. */
export function whyFailed({ program }: Command, { code, stdout, stderr }: Ended): string {
  if (code === "missing") return `there is no ${program} on this machine`;
  const said = (stderr.trim() || stdout.trim()).replaceAll(/\s+/g, " ").slice(0, longestReason);
  const how = code === "cut" ? "did not end in time" : `exit code ${code}`;
  return said === "" ? how : `${how}: ${said}`;
}

const longestReason = 400;
