import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { root } from "../house/support/files.ts";

/** Keeps a token, reads it by another store, forgets it; tells each step. */
const program = `
const { secretStore } = await import("./src/bridge/credentials/credentials.ts");
const { execute } = await import("./src/bridge/commands/execute.ts");
const pc = { platform: "linux", env: {}, home: process.env.HOME, uid: process.getuid(), execute };
const folder = process.env.HOME + "/bridge";
const store = secretStore(folder, pc);
const steps = [await store.read()];
await store.write("t0ken \\u00fc\\n");
steps.push(store.place, await secretStore(folder, pc).read());
await store.clear();
steps.push(await store.read());
console.log(JSON.stringify(steps));
`;

function steps(command: readonly string[]): { readonly steps: unknown; readonly home: string } {
  const home = mkdtempSync(join(tmpdir(), "jackfield-home-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
  writeFileSync(join(home, "program.mjs"), program);
  const node = `"${process.execPath}" --input-type=module < "${home}/program.mjs"`;
  const env = { PATH: process.env["PATH"], HOME: home, XDG_RUNTIME_DIR: home };
  const [first = "", ...rest] = command;
  const ended = spawnSync(first, [...rest, node], { cwd: root, encoding: "utf8", env, timeout: 30_000 });
  return {
    steps: JSON.parse(ended.stdout.trim().split("\n").at(-1) || `"${ended.stderr.slice(0, 200)}"`),
    home,
  };
}

it("a token is kept in the desktop's keyring by secret-tool, and read again", () => {
  const unlocked =
    'printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; eval "$0"';
  const { steps: seen } = steps(["dbus-run-session", "--", "bash", "-c", unlocked]);
  expect(seen).toEqual([null, "the Secret Service", "t0ken ü\n", null]);
});

it("a token is kept in a file where no keyring runs", () => {
  const { steps: seen, home } = steps(["bash", "-c"]);
  expect(seen).toEqual([null, join(home, "bridge", "credential"), "t0ken ü\n", null]);
  expect(() => readFileSync(join(home, "bridge", "credential"))).toThrow("ENOENT");
});
