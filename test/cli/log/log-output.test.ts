import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";

const program = join(import.meta.dirname, "support/log-process.ts");

/** A process that logs, its standard output a pipe that nobody reads yet. */
function start(args: readonly string[], stdout: "pipe" | number = "pipe"): ChildProcess {
  const child = spawn(process.execPath, [program, ...args], { stdio: ["pipe", stdout, "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** The next thing it says on standard error. */
async function told(child: ChildProcess): Promise<string> {
  const [said] = (await once(child.stderr as NodeJS.EventEmitter, "data")) as [Buffer];
  return said.toString();
}

it("a reader of the log that stops holds nothing up: lines wait, then they are lost, and the log says how many", async () => {
  const child = start(["json", "30000", "1", "wait"]);
  const { worst, heap } = JSON.parse(await told(child)) as { worst: number; heap: number };
  expect(worst).toBeLessThan(1000);
  expect(heap).toBeLessThan(300);
  let output = "";
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    output += chunk.toString();
    // The notice comes when the reader has read what waited.
    if (output.includes("log lines were lost")) child.stdin?.write("go on\n");
  }
  const lines = output
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { msg: string; lines?: number });
  const lost = lines.find(({ msg }) => msg === "log lines were lost");
  // 30,000 lines and the last; what came is whole.
  expect(lines.length - 1 + (lost?.lines ?? 0)).toBe(30_001);
  expect(lost?.lines).toBeGreaterThan(20_000);
});

it("a reader of the log that stops does not keep the process from ending", async () => {
  const child = start(["json", "10000"]);
  await told(child);
  expect(await once(child, "exit")).toEqual([0, null]);
});

it("a reader of the log that is gone ends nothing", async () => {
  const child = start(["json", "2000", "5"]);
  child.stdout?.destroy();
  expect(await text(child.stderr as NodeJS.ReadableStream)).toMatch(/\{.*\}\nclosed\n/);
});

it("a file gets every line, for machines or for people as told, by level of the room and without secrets", async () => {
  const directory = mkdtempSync(join(tmpdir(), "jackfield-log-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  for (const format of ["auto", "json", "pretty"]) {
    const file = join(directory, format);
    const child = start([format, "1500"], openSync(file, "a"));
    expect(await once(child, "exit")).toEqual([0, null]);
    const written = readFileSync(file, "utf8");
    expect(written).not.toContain("hunter2");
    // No control characters of others reach a terminal.
    if (format === "pretty")
      for (const sign of ["\u001b", "\u009b"]) expect(written.includes(sign)).toBe(false);
    else expect(written).not.toContain("\u001b");
    if (format === "pretty") expect(written).toMatch(/INFO: line\n\s+index: 1499\n/);
    else expect(written.trimEnd().split("\n")).toHaveLength(1501);
    expect(written).toContain("[cut]");
  }
});
