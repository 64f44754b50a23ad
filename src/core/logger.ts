import { pino, type DestinationStream, type LoggerOptions } from "pino";

/** What a room may log with; a subset of pino, so tests can pass `silentLogger` or a recording one. */
export interface Logger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
  /** A logger that adds `bindings` (room, call, DN) to every line. */
  child(bindings: object): Logger;
}

/** Least level that is written, as pino names them, the quietest first. */
export const logLevels = ["silent", "fatal", "error", "warn", "info", "debug", "trace"] as const;
export type LogLevel = (typeof logLevels)[number];

/** The logger all others descend from: its level is theirs, at any time. */
export interface RootLogger extends Logger {
  level: LogLevel;
}

/** Keys whose values never reach a log line, at any of the first levels of nesting. */
const secretKeys = [
  "sendKey",
  "receiveKey",
  "password",
  "authorization",
  "token",
  "ha1",
  "icePwd",
  "pwd",
  "secret",
  "credential",
  "trunkPassword",
];

/** JSON lines by pino, secrets cut out, or readable lines when `stream` is a pretty printer. */
export function createLogger(level: LogLevel, stream?: DestinationStream): RootLogger {
  const paths = secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);
  let least = valueOf(level);
  const options: LoggerOptions = {
    // A child of pino's keeps the level it was born with, so pino lets all through and the hook decides.
    level: "trace",
    redact: { paths, censor: "[cut]" },
    hooks: {
      logMethod(args, method, value) {
        if (value >= least || isAudit(args[0])) method.apply(this, args);
      },
    },
  };
  const written = stream ? pino(options, stream) : pino(options);
  return {
    debug: (details, message) => written.debug(details, message),
    info: (details, message) => written.info(details, message),
    warn: (details, message) => written.warn(details, message),
    error: (details, message) => written.error(details, message),
    child: (bindings) => written.child(bindings),
    get level() {
      return level;
    },
    set level(next) {
      level = next;
      least = valueOf(next);
    },
  };
}

/** Written whatever the level: who may turn the log down must not hide by it what he did. */
function isAudit(details: unknown): boolean {
  return typeof details === "object" && details !== null && "audit" in details && details.audit === true;
}

function valueOf(level: LogLevel): number {
  return pino.levels.values[level] ?? Infinity;
}

/** Says nothing. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
