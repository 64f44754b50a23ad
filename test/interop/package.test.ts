import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../house/support/files.ts";

const PACK_LIMIT_MS = 120_000;
let folder: string;
let home: string;

function run(cwd: string, command: string, ...args: string[]): string {
  const ended = spawnSync(command, args, { cwd, encoding: "utf8", timeout: PACK_LIMIT_MS });
  if (ended.status !== 0) throw new Error(`${command} ${args.join(" ")}: ${ended.stdout}\n${ended.stderr}`);
  return ended.stdout;
}

// Packed from a copy: packing builds web/dist anew, which other tests may be serving at the moment.
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "jackfield-package-"));
  const copy = join(folder, "source");
  mkdirSync(copy);
  for (const entry of readdirSync(root)) {
    if (["node_modules", ".git", "dist", "test", "bench"].includes(entry)) continue;
    cpSync(join(root, entry), join(copy, entry), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  run(copy, "npm", "pack", "--silent", "--pack-destination", folder);
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  if (tarball === undefined) throw new Error("npm pack made no tarball");
  const empty = join(folder, "empty");
  mkdirSync(empty);
  run(
    empty,
    "npm",
    "install",
    "--silent",
    "--prefer-offline",
    "--no-audit",
    "--no-fund",
    join(folder, tarball),
  );
  home = join(empty, "node_modules", "jackfield");
}, 2 * PACK_LIMIT_MS);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the published package", () => {
  it("tells its version when installed into an empty folder", () => {
    const manifest = readFileSync(join(root, "package.json"), "utf8");
    const version = /"version": "([^"]+)"/.exec(manifest)?.[1] ?? "no version";
    const said = run(join(folder, "empty"), process.execPath, join(home, "bin", "jackfield.js"), "version");
    expect(said).toContain(version);
  });

  it("holds the pages, the licence and no TypeScript but the SDK's types, which the gateway serves", () => {
    expect(existsSync(join(home, "dist", "web", "index.html"))).toBe(true);
    expect(existsSync(join(home, "LICENSE"))).toBe(true);
    const files = readdirSync(home, { recursive: true, encoding: "utf8" });
    const typed = files.filter((name) => name.endsWith(".ts") && !name.includes("node_modules"));
    expect(typed.sort()).toEqual(["dist/web/sdk/jackfield-phone.d.ts", "dist/web/sdk/protocol.d.ts"]);
    expect(existsSync(join(home, "dist", "web", "admin", "index.html"))).toBe(true);
  });

  it("names no .ts file in what it runs, so workers start from JavaScript too", () => {
    const scripts = readdirSync(join(home, "dist"), { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".js"),
    );
    expect(scripts.length).toBeGreaterThan(5);
    const strays = scripts.filter((name) =>
      /new URL\(\s*["'][^"']*\.ts["']/.test(readFileSync(join(home, "dist", name), "utf8")),
    );
    expect(strays).toEqual([]);
  });
});
