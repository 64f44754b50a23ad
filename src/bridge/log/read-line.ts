/** A line of the log for people. */
export interface LogLine {
  /** ISO 8601; empty where the line says none. */
  readonly at: string;
  readonly level: "debug" | "info" | "warn" | "error";
  /** The message, and behind it what else the line has: `name: value, ...`. */
  readonly text: string;
}

const levels = new Map<unknown, LogLine["level"]>([
  [20, "debug"],
  [30, "info"],
  [40, "warn"],
  [50, "error"],
]);
/** What every line has, or is shown in its own place. */
const known = new Set(["level", "time", "pid", "hostname", "msg"]);
const longestText = 1000;

/** A line as `createLogger` writes it; another one is its own text. */
export function readLogLine(line: string): LogLine {
  const fields = objectOf(line);
  if (fields === undefined) return { at: "", level: "info", text: line.slice(0, longestText) };
  const { level, time, msg } = fields;
  const more = Object.entries(fields)
    .filter(([name]) => !known.has(name))
    .map(([name, value]) => (name === "err" ? messageOf(value) : `${name}: ${textOf(value)}`));
  const text = [typeof msg === "string" ? msg : "", more.join(", ")].filter((one) => one !== "").join(" | ");
  const isTime = typeof time === "number" && Math.abs(time) < 8.64e15;
  return {
    at: isTime ? new Date(time).toISOString() : "",
    level: levels.get(level) ?? "info",
    text: text.slice(0, longestText),
  };
}

/** Stacks are for the file. */
function messageOf(error: unknown): string {
  const { message, code } = isObject(error) ? error : {};
  if (typeof message !== "string") return textOf(error);
  return typeof code === "string" && !message.includes(code) ? `${message} (${code})` : message;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function objectOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
