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
  /** Whose moves of state are told, where not the call's or its leg's session's; a child's binding `machine`. */
  readonly machine?: string;
}

/**
 * A logger that adds the call's facts to each line and puts the line into the call's trace too, so that whatever the
 * call, its legs and their sessions log (moves of state, warnings) stands in the ladder in its place.
 */
export function callLogger(parts: CallLogParts): Logger {
  const { log, facts, trace, leg, machine } = parts;
  const at =
    (level: "debug" | "info" | "warn" | "error") =>
    (details: object, message: string): void => {
      log[level]({ ...facts(), ...details }, message);
      const words = wordsOf(details, message, machine ?? (leg === undefined ? "call" : "session"));
      trace?.note(message === "state" ? "state" : "event", words, leg);
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (bindings) => {
      const named: unknown = Reflect.get(bindings, "machine");
      return callLogger({
        ...parts,
        ...(typeof named === "string" ? { machine: named } : {}),
        log: log.child(bindings),
      });
    },
  };
}

/** `early media not usable (reason: no codec)`; of a move of state `call ringing -> answering (answer)`. */
function wordsOf(details: object, message: string, machine: string): string {
  const values = new Map<string, unknown>(Object.entries(details));
  const [from, to, input] = ["from", "to", "input"].map((name) => values.get(name));
  if (message === "state" && typeof from === "string" && typeof to === "string")
    return `${machine} ${from} -> ${to} (${typeof input === "string" ? input : ""})`;
  const shown = Array.from(values).flatMap(([name, value]) => {
    if (value instanceof Error) return [`${name}: ${value.message}`];
    return typeof value === "string" || typeof value === "number" ? [`${name}: ${value}`] : [];
  });
  return shown.length === 0 ? message : `${message} (${shown.join(", ")})`;
}
