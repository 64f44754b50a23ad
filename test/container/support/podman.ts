import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { isPresent } from "../../setup/debian.ts";

const execute = promisify(execFile);

/** Kept between runs, outside of the repository; may be deleted at any time. */
export const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "jackfield-tests");

/** Why containers cannot be built and run here, in words; undefined when they can. */
export function noEngine(): string | undefined {
  if (process.platform !== "linux") return "containers need Linux";
  if (process.getuid?.() !== 0) return "a base image can only be made by root (debootstrap); run as root";
  const missing = ["podman", "/usr/sbin/runc", "/usr/sbin/debootstrap"].filter((name) => !isPresent(name));
  return missing.length === 0
    ? undefined
    : `${missing.join(", ")} missing: apt-get install podman runc debootstrap`;
}

/** Images and containers of the tests' own, apart from those of the machine. */
export class Podman {
  /** Whether a layer costs only what is new in it, so that keeping one for each step pays. */
  readonly keepsLayers: boolean;
  readonly #options: readonly string[];

  private constructor(driver: string) {
    const storage = join(cache, `containers-${driver}`);
    mkdirSync(storage, { recursive: true });
    this.keepsLayers = driver === "overlay";
    this.#options = [
      "--root",
      storage,
      // At most 50 characters, says podman; the same at each run, or it finds its containers no more.
      "--runroot",
      `/run/jackfield-tests-${driver}`,
      "--storage-driver",
      driver,
      // No systemd in a container; crun refuses hybrid cgroups.
      "--cgroup-manager=cgroupfs",
      "--runtime=runc",
    ];
  }

  /** With overlay where the kernel and the file system have it, else with vfs, which copies whole images. */
  static open(): Podman {
    const overlay = new Podman("overlay");
    const tried = spawnSync("podman", [...overlay.#options, "info"], { stdio: "ignore" });
    return tried.status === 0 ? overlay : new Podman("vfs");
  }

  /** Standard output; rejects with all it said. */
  async run(...args: readonly string[]): Promise<string> {
    const { stdout } = await execute("podman", [...this.#options, ...args], { maxBuffer: 64 * 1024 * 1024 });
    return stdout.trim();
  }

  /** Exit code and output of a command that may fail. */
  try(...args: readonly string[]): { readonly code: number | null; readonly out: string } {
    const { status, stdout, stderr } = spawnSync("podman", [...this.#options, ...args], { encoding: "utf8" });
    return { code: status, out: stdout + stderr };
  }

  has(image: string): boolean {
    return this.try("image", "exists", image).code === 0;
  }

  /** An image that holds the files of a folder. */
  importFolder(folder: string, image: string): void {
    const command = 'set -o pipefail; folder=$1; shift; tar -C "$folder" -cf - . | podman "$@"';
    execFileSync("bash", ["-c", command, "bash", folder, ...this.#options, "import", "-q", "-", image]);
  }
}
