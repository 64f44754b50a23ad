import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Podman } from "./podman.ts";

/** Names of what the Dockerfile's arguments stand for; made once, then kept. */
export interface Bases {
  readonly base: string;
  readonly runtime: string;
}

const suite = "bookworm";

/** Base images without a registry: Debian by debootstrap, and the same with this Node and this machine's npm. */
export function bases(podman: Podman): Bases {
  const npm = dirname(dirname(realpathSync(which("npm"))));
  const npmVersion = execFileSync("npm", ["--version"], { encoding: "utf8" }).trim();
  const runtime = `localhost/jackfield-test-runtime:${suite}-1`;
  const base = `localhost/jackfield-test-base:node${process.versions.node}-npm${npmVersion}`;
  if (podman.has(runtime) && podman.has(base)) return { base, runtime };
  const folder = mkdtempSync(join(tmpdir(), "jackfield-debian-"));
  const root = join(folder, "root");
  try {
    execFileSync("debootstrap", ["--variant=minbase", suite, root], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    rmSync(join(root, "var", "cache", "apt", "archives"), { recursive: true });
    podman.importFolder(root, runtime);
    const local = join(root, "usr", "local");
    cpSync(process.execPath, join(local, "bin", "node"));
    mkdirSync(join(local, "lib", "node_modules"), { recursive: true });
    cpSync(npm, join(local, "lib", "node_modules", "npm"), { recursive: true });
    symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(local, "bin", "npm"));
    podman.importFolder(root, base);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { base, runtime };
}

function which(name: string): string {
  return execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
}
