import { pino, type DestinationStream } from "pino";

/** What a room may log with; a subset of pino, so tests can pass `silentLogger` or a recording one. */
export interface Logger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
  /** A logger that adds `bindings` (room, call, DN) to every line. */
  child(bindings: object): Logger;
}

/** Least level that is written, as pino names them. */
export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";

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
  "trunkPassword",
];

/** JSON lines by pino, secrets cut out, or readable lines when `stream` is a pretty printer. */
export function createLogger(level: LogLevel, stream?: DestinationStream): Logger {
  const paths = secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);
  const options = { level, redact: { paths, censor: "[cut]" } };
  return stream ? pino(options, stream) : pino(options);
}

/** Says nothing. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
