import { prettyFactory } from "pino-pretty";

/** Makes a JSON line of the log one that people read; `colors` by the terminal's escape sequences. */
export function prettyLines(colors: boolean): (line: string) => string {
  const prettify = prettyFactory({
    colorize: colors,
    ignore: "pid,hostname",
    translateTime: "SYS:HH:MM:ss.l",
  });
  return (line) => prettify(harmless(line)) ?? "";
}

/** What comes over the network must not steer the terminal: control characters, spelled out by JSON, stay out. */
function harmless(line: string): string {
  const spelledOut = line.replaceAll(/\\u00(?:0[0-8bce-f]|1[\da-f])/g, "\\ufffd");
  return spelledOut.replaceAll(/[\u007f-\u009f]/g, "\ufffd");
}
