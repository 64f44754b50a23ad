import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { add, countsOf, inWords, NOTHING, readIfThere } from "../setup/counts.ts";
import { installCommand, isPresent, missingPackages, NEEDS } from "../setup/debian.ts";
import { runCommand } from "../setup/run-step.ts";

describe("the gate's counts", () => {
  const report = JSON.stringify({
    numPassedTests: 7,
    numFailedTests: 2,
    numPendingTests: 1,
    numTodoTests: 3,
  });

  it("are read from vitest's report, tests to do counting as skipped", () => {
    expect(countsOf(report, 1)).toEqual({ passed: 7, failed: 2, skipped: 4 });
  });

  it("show a failure when the run failed although no test did", () => {
    expect(countsOf(JSON.stringify({ numPassedTests: 7, numFailedTests: 0 }), 1).failed).toBe(1);
  });

  it("show a failure when there is no report at all", () => {
    expect(countsOf(undefined, 1)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(countsOf("not json", 137)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it("add up and are printed in the plain form", () => {
    const sum = add(add(NOTHING, countsOf(report, 1)), { passed: 10, failed: 0, skipped: 0 });
    expect(inWords(sum)).toBe("17 passed, 2 failed, 4 skipped");
  });
});

describe("the gate's needs", () => {
  it("are told as packages, each once, for what is not there", () => {
    const needs = [
      { what: "sipp", package: "sip-tester" },
      { what: "/no/such/font.ttf", package: "fonts" },
      { what: "/no/such/other.ttf", package: "fonts" },
    ];
    expect(missingPackages(needs, (what) => what === "sipp")).toEqual(["fonts"]);
    expect(missingPackages(needs, () => true)).toEqual([]);
  });

  it("are looked for on the PATH and as files", () => {
    expect(isPresent("sh")).toBe(true);
    expect(isPresent("sh", "/nowhere")).toBe(false);
    expect(isPresent("/etc/passwd")).toBe(true);
    expect(isPresent("/etc/no-such-file")).toBe(false);
  });

  it("are installed by one command, by sudo where the user is not root", () => {
    expect(installCommand(["a", "b"], "root")).toBe(
      "apt-get update && apt-get install -y --no-install-recommends a b",
    );
    expect(installCommand(["a"], "none")).toBe(
      "sudo apt-get update && sudo apt-get install -y --no-install-recommends a",
    );
    expect(NEEDS.map((need) => need.package)).toEqual(expect.arrayContaining(["chromium", "sip-tester"]));
  });
});

describe("the gate's steps", () => {
  it("end with the command's exit code", async () => {
    expect(await runCommand(process.execPath, ["-e", "process.exit(3)"], 20_000)).toEqual({
      code: 3,
      timedOut: false,
    });
    expect((await runCommand("no-such-command-here", [], 20_000)).code).toBe(127);
  });

  it("print into a file where they are given one", async () => {
    const folder = mkdtempSync(join(tmpdir(), "jackfield-step-"));
    const log = join(folder, "log");
    await runCommand(process.execPath, ["-e", "console.log('out'); console.error('err')"], 20_000, log);
    expect(readIfThere(log)).toBe("out\nerr\n");
    rmSync(folder, { recursive: true });
  });

  it("are ended when they take too long, and get no input", async () => {
    const waits = "setInterval(() => {}, 1000)";
    const ended = await runCommand(process.execPath, ["-e", waits], 200);
    expect(ended.timedOut).toBe(true);
    expect(ended.code).not.toBe(0);
    const reads = "process.stdin.on('end', () => process.exit(0)).resume()";
    expect((await runCommand(process.execPath, ["-e", reads], 20_000)).code).toBe(0);
  });
});
