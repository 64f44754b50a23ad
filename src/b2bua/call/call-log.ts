import type { Logger } from "../../core/index.ts";
import type { CallTrace, TraceSide } from "../../trace/index.ts";

/** What a call's lines are written with. */
export interface CallLogParts {
  readonly log: Logger;
  /** Asked for each line: what is not known from the beginning, e.g. X-Genesys-CallUUID. */
  readonly facts: () => object;
  readonly trace: CallTrace | undefined;
  /** What the lines are of, where not of the call as a whole. */
  readonly leg?: TraceSide;
}

/**
 * A logger that adds the call's facts to each line and puts the line into the call's trace too, so that whatever the
 * call, its legs and their sessions log (moves of state, warnings) stands in the ladder in its place.
 */
export function callLogger(parts: CallLogParts): Logger {
  const { log, facts, trace, leg } = parts;
  const at =
    (level: "debug" | "info" | "warn" | "error") =>
    (details: object, message: string): void => {
      log[level]({ ...facts(), ...details }, message);
      trace?.note(message === "state" ? "state" : "event", wordsOf(details, message, leg), leg);
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (bindings) => callLogger({ ...parts, log: log.child(bindings) }),
  };
}

/** `early media not usable (reason: no codec)`; of a move of state `call ringing -> answering (answer)`. */
function wordsOf(details: object, message: string, leg: TraceSide | undefined): string {
  const values = new Map<string, unknown>(Object.entries(details));
  const [from, to, input] = ["from", "to", "input"].map((name) => values.get(name));
  if (message === "state" && typeof from === "string" && typeof to === "string")
    return `${leg === undefined ? "call" : "session"} ${from} -> ${to} (${typeof input === "string" ? input : ""})`;
  const shown = Array.from(values).flatMap(([name, value]) => {
    if (value instanceof Error) return [`${name}: ${value.message}`];
    return typeof value === "string" || typeof value === "number" ? [`${name}: ${value}`] : [];
  });
  return shown.length === 0 ? message : `${message} (${shown.join(", ")})`;
}
