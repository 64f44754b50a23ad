import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { withoutServices } from "../setup/debian.ts";

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), "jackfield-policy-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "policy-rc.d");
}
const run = (command: string, file: string) =>
  spawnSync("bash", ["-c", withoutServices(command, "root", file)], { encoding: "utf8" });

it("while packages are installed no service may be started, and afterwards all is as before", () => {
  const file = place();
  const { stdout, status } = run(`${file}; echo $?; false`, file);
  expect([stdout, status]).toEqual(["101\n", 1]);
  expect(existsSync(file)).toBe(false);
});

it("a policy of the machine's own stays", () => {
  const file = place();
  writeFileSync(file, "mine", { mode: 0o700 });
  expect(run("true", file).status).toBe(0);
  expect([readFileSync(file, "utf8"), statSync(file).mode & 0o777]).toEqual(["mine", 0o700]);
});
