import { expect, it } from "vitest";
import { readLogLine } from "../../src/bridge/log/read-line.ts";
import { createLogger } from "../../src/core/index.ts";
import { FakeClock } from "../support/fake-clock.ts";

function written(): { lines: string[]; log: ReturnType<typeof createLogger> } {
  const lines: string[] = [];
  const log = createLogger("debug", { write: (line) => void lines.push(line.trimEnd()) }, new FakeClock());
  return { lines, log };
}

it("a line of the log is time, level and words, with its details behind", () => {
  const { lines, log } = written();
  log.debug({}, "a");
  log.info({ port: 8000, origin: "https://wwe.example.com" }, "listens");
  log.warn({ view: { open: true } }, "b");
  log.error({ err: Object.assign(new Error("no entry"), { code: "EACCES" }) }, "cannot be read");
  expect(lines.map(readLogLine).map(({ level, text }) => [level, text])).toEqual([
    ["debug", "a"],
    ["info", "listens | port: 8000, origin: https://wwe.example.com"],
    ["warn", 'b | view: {"open":true}'],
    ["error", "cannot be read | no entry (EACCES)"],
  ]);
  expect(Number.isNaN(Date.parse(readLogLine(lines[0] ?? "").at))).toBe(false);
});

it.each(["not JSON", "[]", "null", "", '"text"', "{"])("another line (%j) is its own text", (line) => {
  expect(readLogLine(line)).toEqual({ at: "", level: "info", text: line });
});

it("a line that lacks what lines have, or has too much, is shown all the same", () => {
  expect(readLogLine("{}")).toEqual({ at: "", level: "info", text: "" });
  expect(readLogLine('{"time":1e300,"level":"loud","err":7}')).toEqual({ at: "", level: "info", text: "7" });
  expect(readLogLine(JSON.stringify({ msg: "x".repeat(5000) })).text).toHaveLength(1000);
});
