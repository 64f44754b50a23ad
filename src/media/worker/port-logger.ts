import type { Logger } from "../../core/index.ts";
import type { WorkerMessage } from "./messages.ts";

type LogMessage = Extract<WorkerMessage, { type: "log" }>;

/** A logger whose lines are written by the main thread: one place decides on level, form and secrets. */
export function createPortLogger(post: (message: LogMessage) => void, bindings: object = {}): Logger {
  const write =
    (level: LogMessage["level"]) =>
    (details: object, message: string): void => {
      const line = { type: "log", level, details: { ...bindings, ...details }, message } as const;
      try {
        post(line);
      } catch {
        // Something in the details cannot cross threads; the words still can.
        post({ ...line, details: { ...bindings } });
      }
    };
  return {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    child: (more) => createPortLogger(post, { ...bindings, ...more }),
  };
}
