import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findNodePackage, isNewEnough, programOf } from "../../bin/launch.js";
import { root } from "./support/files.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "jackfield-launcher-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A package laid out as npm installs ours, whose program prints what it got. */
function layOut(program: string): string {
  const home = join(folder, "node_modules", "jackfield");
  mkdirSync(join(home, "dist"), { recursive: true });
  cpSync(join(root, "bin"), join(home, "bin"), { recursive: true });
  writeFileSync(join(home, "package.json"), JSON.stringify({ name: "jackfield", type: "module" }));
  writeFileSync(join(home, "dist", "main.js"), program);
  return join(home, "bin", "jackfield.js");
}

/** A package `node` whose binary is the Node that runs the tests. */
function layOutNode(): void {
  const home = join(folder, "node_modules", "node");
  mkdirSync(join(home, "bin"), { recursive: true });
  writeFileSync(join(home, "package.json"), JSON.stringify({ name: "node", version: "24.0.0" }));
  writeFileSync(join(home, "bin", "node"), `#!/bin/sh\nexec "${process.execPath}" "$@"\n`);
  chmodSync(join(home, "bin", "node"), 0o755);
}

/** A Node older than 24 on this machine's PATH, as a fresh Debian has. */
function olderNode(): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((entry) => join(entry, "node"))
    .find((path) => {
      const { status, stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
      return status === 0 && !isNewEnough(stdout.trim().slice(1)) && Number(stdout.slice(1, 3)) >= 20;
    });
}

describe("bin/jackfield.js", () => {
  it("runs the sources in a checkout and the emitted JavaScript in a package", () => {
    expect(programOf("/pkg", () => true)).toBe(join("/pkg", "src", "main.ts"));
    expect(programOf("/pkg", () => false)).toBe(join("/pkg", "dist", "main.js"));
  });

  it("takes Node 24 and newer", () => {
    expect(["20.20.2", "22.18.0", "23.11.0"].map(isNewEnough)).toEqual([false, false, false]);
    expect(["24.0.0", "25.1.0", "100.0.0"].map(isNewEnough)).toEqual([true, true, true]);
  });

  it("finds the npm package node beside itself, or in none of the places", () => {
    layOutNode();
    const beside = pathToFileURL(join(folder, "node_modules", "jackfield", "bin", "jackfield.js")).href;
    expect(findNodePackage([beside])).toBe(join(folder, "node_modules", "node", "bin", "node"));
    expect(findNodePackage(["file:///nowhere/"])).toBeUndefined();
    expect(findNodePackage([beside], () => false)).toBeUndefined();
  });

  it("passes its arguments to the program and ends with its exit code", () => {
    const launcher = layOut("console.log(process.argv.slice(2).join('|')); process.exitCode = 7;");
    const run = spawnSync(process.execPath, [launcher, "check", "--config", "a b"], { encoding: "utf8" });
    expect(run.stdout).toBe("check|--config|a b\n");
    expect(run.status).toBe(7);
  });

  const older = olderNode();

  it.skipIf(older === undefined)("hands over to the package's Node 24 when its own is older", () => {
    const launcher = layOut("console.log(process.versions.node, process.argv[2]); process.exitCode = 7;");
    layOutNode();
    const run = spawnSync(older ?? "", [launcher, "version"], { encoding: "utf8" });
    expect(run.stdout).toBe(`${process.versions.node} version\n`);
    expect(run.status).toBe(7);
  });

  it.skipIf(older === undefined)("says what to install when its Node is older and there is no other", () => {
    const launcher = layOut("console.log('never');");
    const run = spawnSync(older ?? "", [launcher, "version"], { encoding: "utf8", cwd: folder });
    expect(run.stdout).toBe("");
    expect(run.stderr).toContain("npm install node@24");
    expect(run.status).toBe(1);
  });

  it.skipIf(older === undefined)("passes SIGTERM on to the program", () => {
    const program =
      "process.on('SIGTERM', () => process.exit(9)); setInterval(() => {}, 1e3); console.log('up');";
    const launcher = layOut(program);
    layOutNode();
    const script = `"${older ?? ""}" "${launcher}" > "${folder}/out" & pid=$!
      until grep -q up "${folder}/out"; do sleep 0.05; done; kill -TERM $pid; wait $pid`;
    expect(spawnSync("bash", ["-c", script], { timeout: 20_000 }).status).toBe(9);
  });
});
