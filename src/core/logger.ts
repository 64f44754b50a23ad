import { pino, type DestinationStream, type Level } from "pino";
import { systemClock, type Clock } from "./clock.ts";
import { cutDetails, cutText } from "./log-cut.ts";
import { LogLevels, type LogLevel } from "./log-levels.ts";

/** What a room may log with; a subset of pino, so tests can pass `silentLogger` or a recording one. */
export interface Logger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
  /** A logger that adds `bindings` (room, call, DN) to every line. */
  child(bindings: object): Logger;
}

/** The logger all others descend from: its levels are theirs, at any time. */
export interface RootLogger extends Logger {
  readonly levels: LogLevels;
}

/**
 * JSON lines by pino, secrets cut out, to `stream` (default: standard output, which a reader that stops then stops
 * too). A line's room, which decides on its level, is what its logger is bound to.
 */
export function createLogger(
  level: LogLevel,
  stream?: DestinationStream,
  clock: Clock = systemClock,
): RootLogger {
  const levels = new LogLevels(level, clock);
  // Which lines are written is decided before pino sees them.
  const options = { level: "trace", serializers: { err: (err: unknown) => err } };
  const written = stream ? pino(options, stream) : pino(options);
  const write: Write = (name, bindings, details, message) => {
    const { room } = bindings;
    if (!levels.allows(weights[name], room) && !isAudit(details)) return;
    written[name](cutDetails({ ...bindings, ...details }), cutText(message));
  };
  return { ...boundLogger(write, {}), levels };
}

type WrittenLevel = Extract<Level, "debug" | "info" | "warn" | "error">;
type Bindings = { readonly room?: string | undefined };
type Write = (level: WrittenLevel, bindings: Bindings, details: object, message: string) => void;

const weights: Readonly<Record<WrittenLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50 };

/** Costs next to nothing to make: there is one for each transaction. */
function boundLogger(write: Write, bindings: Bindings): Logger {
  return {
    debug: (details, message) => write("debug", bindings, details, message),
    info: (details, message) => write("info", bindings, details, message),
    warn: (details, message) => write("warn", bindings, details, message),
    error: (details, message) => write("error", bindings, details, message),
    child: (more) => boundLogger(write, { ...bindings, ...more }),
  };
}

/** Written whatever the level: who may turn the log down must not hide by it what he did. */
function isAudit(details: object): boolean {
  return "audit" in details && details.audit === true;
}

/** Says nothing. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
