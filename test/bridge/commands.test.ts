import { describe, expect, it } from "vitest";
import { runShown, shown, whyFailed, type Command } from "../../src/bridge/commands/command.ts";
import { execute } from "../../src/bridge/commands/execute.ts";
import { RecordingPc } from "./support/pc.ts";

const node = (script: string, input?: string): Command => ({
  program: process.execPath,
  args: ["-e", script],
  ...(input === undefined ? {} : { input }),
});

describe("a program of the operating system's", () => {
  it("gets its input, and tells by exit code and output how it ended", async () => {
    const echo = node(
      "process.stdin.pipe(process.stdout); console.error('aside'); process.exitCode = 3",
      "se cret",
    );
    expect(await execute(echo)).toEqual({ code: 3, stdout: "se cret", stderr: "aside\n" });
  });

  it("that reads nothing of its input, is not there, or is ended by a signal fails nothing but itself", async () => {
    expect(await execute(node("process.exit(0)", "x".repeat(1_000_000)))).toMatchObject({ code: 0 });
    expect(await execute({ program: "/there/is/none", args: [] })).toMatchObject({ code: "missing" });
    expect(await execute(node("process.kill(process.pid, 'SIGKILL')"))).toMatchObject({ code: "cut" });
  });

  it("is no shell: nothing in its arguments is run", async () => {
    const { stdout } = await execute({ program: "echo", args: ["$(id)", ";", "`id`"] });
    expect(stdout).toBe("$(id) ; `id`\n");
  });

  it("is shown before it runs, its input left out", async () => {
    const pc = new RecordingPc("linux");
    const command = { program: "keep", args: ["a b", "c"], input: "secret" };
    await runShown(command, pc, pc.say);
    pc.answer = () => ({ code: 2, stderr: "line one\n  line two\n" });
    await runShown(command, pc, pc.say);
    const line = '  keep "a b" c < (standard input)';
    expect(pc.said).toEqual([line, line, "  failed: exit code 2: line one line two"]);
    expect(shown({ program: "p", args: [] })).toBe("p");
    expect(whyFailed(command, { code: "missing", stdout: "", stderr: "" })).toBe(
      "there is no keep on this machine",
    );
  });
});
