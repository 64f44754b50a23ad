import { writeFileSync } from "node:fs";

/** An option's value; TypeError where it is no number above 0. */
export function positive(text: string): number {
  if (!(Number(text) > 0)) throw new TypeError(`${text}: not a positive number`);
  return Number(text);
}

/** All figures to the file of `--json`, where it is asked for. */
export function saveReport(file: string | undefined, report: object): void {
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
}

/**
 * Runs a bench and leaves its exit code: what `run` resolves with; 2 and the usage for options that cannot be
 * understood (`TypeError`, as parseArgs throws it); 1 for any other error.
 */
export async function runProgram(run: () => Promise<number>, usage: string): Promise<void> {
  try {
    process.exitCode = await run();
  } catch (error) {
    const known = error instanceof TypeError;
    console.error(known ? `${error.message}\n\n${usage}` : error);
    process.exitCode = known ? 2 : 1;
  }
}
