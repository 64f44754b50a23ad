import type { Clock, Random } from "../../../core/index.ts";
import type { NameResolver } from "../../../registrar/index.ts";

export type FindingLevel = "ok" | "warn" | "fail";

/** One line of the report. */
export interface Finding {
  readonly level: FindingLevel;
  /** Configuration key it is about. */
  readonly key: string;
  readonly what: string;
  /** What to mend; absent where all is well. */
  readonly mend?: string;
}

/** Takes findings one by one, as they are made. */
export type Report = (finding: Finding) => void;

/** What `check` needs of the world outside. */
export interface CheckIo {
  /** Prints one line. */
  readonly write: (line: string) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly resolver: NameResolver;
  /** This machine's IPv4 addresses. */
  readonly localAddresses: () => readonly string[];
  /** How long a SIP Server may take to answer, ms. */
  readonly answerMs: number;
}

/** `warn  sip.port   is 5060  -> take another`: columns wide enough for the longest key. */
export function findingLine({ level, key, what, mend }: Finding): string {
  return `${level.padEnd(4)}  ${key.padEnd(31)}  ${what}${mend === undefined ? "" : `  -> ${mend}`}`;
}

/** An error's system code (`EADDRINUSE`), or its message. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}
