import { isatty } from "node:tty";
import type { Config } from "../../config/index.ts";
import { createLogger, type Clock, type RootLogger } from "../../core/index.ts";
import { openLogOutput } from "./log-output.ts";

/** The log of a process, on its standard output. */
export interface ProcessLog {
  readonly log: RootLogger;
  /** See `LogOutput.lost`. */
  readonly linesLost: () => number;
  /** Writes what waits for a slow reader, for 2 s at most. */
  readonly close: () => Promise<void>;
}

/** What a reader of the log that is slow gets at the end, ms. */
const patienceMs = 2000;

/** Opens it as configured; lines for people where `format` says so or, by `auto`, standard output is a terminal. */
export async function openProcessLog(
  { level, rooms, format }: Config["log"],
  clock: Clock,
): Promise<ProcessLog> {
  const output = openLogOutput(clock);
  const terminal = isatty(1);
  const pretty = format === "pretty" || (format === "auto" && terminal);
  // Loaded when asked for: a gateway in production needs none of it.
  const prettify = pretty ? (await import("./pretty-lines.ts")).prettyLines(terminal) : undefined;
  const write = (line: string): void => output.write(prettify ? prettify(line) : line);
  const log = createLogger(level, { write }, clock);
  log.levels.configure(level, rooms);
  return { log, linesLost: () => output.lost, close: () => output.close(patienceMs) };
}
