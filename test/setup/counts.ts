import { readFileSync } from "node:fs";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const NOTHING: Counts = { passed: 0, failed: 0, skipped: 0 };

export function add(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** The gate's last line. */
export function inWords(counts: Counts): string {
  return `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
}

function countOf(report: object, key: string): number {
  const value: unknown = Reflect.get(report, key);
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

/**
 * Counts of one run from the text of vitest's JSON report. A run that failed although no test did (a file that does
 * not load, an unhandled error, no report at all) counts as one failure, so that it cannot look green.
 */
export function countsOf(report: string | undefined, exitCode: number): Counts {
  let counts = NOTHING;
  try {
    const parsed: unknown = JSON.parse(report ?? "");
    if (typeof parsed === "object" && parsed !== null) {
      counts = {
        passed: countOf(parsed, "numPassedTests"),
        failed: countOf(parsed, "numFailedTests"),
        skipped: countOf(parsed, "numPendingTests") + countOf(parsed, "numTodoTests"),
      };
    }
  } catch {
    // No report: the exit code below says what it means.
  }
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** Text of a file, undefined when it cannot be read. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
