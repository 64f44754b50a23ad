import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A program or file the tests need that npm does not bring, and Debian's package that does. */
export interface Need {
  /** Name on the PATH, or an absolute path of a file that must exist. */
  readonly what: string;
  readonly package: string;
}

export const NEEDS: readonly Need[] = [
  { what: "chromium", package: "chromium" },
  { what: "sipp", package: "sip-tester" },
  { what: "baresip", package: "baresip-core" },
  { what: "tshark", package: "tshark" },
  { what: "prometheus", package: "prometheus" },
  { what: "turnserver", package: "coturn" },
  { what: "sngrep", package: "sngrep" },
  { what: "ip", package: "iproute2" },
  { what: "/usr/sbin/iptables", package: "iptables" },
  { what: "certutil", package: "libnss3-tools" },
  { what: "secret-tool", package: "libsecret-tools" },
  { what: "gnome-keyring-daemon", package: "gnome-keyring" },
  { what: "dbus-run-session", package: "dbus-daemon" },
  { what: "wixl", package: "wixl" },
  { what: "msiinfo", package: "msitools" },
  { what: "podman", package: "podman" },
  { what: "/usr/sbin/runc", package: "runc" },
  { what: "/usr/sbin/debootstrap", package: "debootstrap" },
  { what: "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", package: "fonts-dejavu-core" },
];

/** True when `what` is there: an absolute path as a file, a bare name as an executable on the PATH. */
export function isPresent(what: string, path: string = process.env["PATH"] ?? ""): boolean {
  if (what.startsWith("/")) return existsSync(what);
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, what), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Debian packages to install, each once, for those of `needs` that are not present. */
export function missingPackages(
  needs: readonly Need[] = NEEDS,
  present: (what: string) => boolean = isPresent,
): string[] {
  return [...new Set(needs.filter((need) => !present(need.what)).map((need) => need.package))];
}

/** How this user may install: directly as root, by passwordless sudo, or not at all. */
export type Right = "root" | "sudo" | "none";

export function installRight(): Right {
  if (!isPresent("apt-get")) return "none";
  if (process.getuid?.() === 0) return "root";
  return spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0 ? "sudo" : "none";
}

/** The one shell command that installs `packages`, with or without sudo. */
export function installCommand(packages: readonly string[], right: Right): string {
  const sudo = right === "root" ? "" : "sudo ";
  const install = `${sudo}apt-get install -y --no-install-recommends ${packages.join(" ")}`;
  return `${sudo}apt-get update && ${install}`;
}

/**
 * `command` while a policy-rc.d says that no service may be started (101), as coturn's and Prometheus' packages ask for; one
 * that is there already stays as it is. `file`: its place.
 */
export function withoutServices(command: string, right: Right, file = "/usr/sbin/policy-rc.d"): string {
  const sudo = right === "root" ? "" : "sudo ";
  const put = `printf '#!/bin/sh\\nexit 101\\n' | ${sudo}tee ${file} >/dev/null && ${sudo}chmod 755 ${file}`;
  return `if [ ! -e ${file} ]; then trap '${sudo}rm -f ${file}' EXIT; ${put}; fi; ${command}`;
}

/**
 * Installs what is missing where this user may.
 * @returns undefined when all is there, else what to tell the user, with the one command to run.
 */
export function installMissing(): string | undefined {
  const packages = missingPackages();
  if (packages.length === 0) return undefined;
  const right = installRight();
  const command = installCommand(packages, right);
  if (right === "none") return `The tests need ${packages.join(", ")}. Run:\n\n  ${command}\n`;
  process.stdout.write(`installing ${packages.join(", ")}\n`);
  // sudo drops the environment, so the settings travel in the command itself; the lock may be held by another apt.
  const quiet = command.replaceAll(
    "apt-get ",
    "env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 ",
  );
  spawnSync("bash", ["-c", withoutServices(quiet, right)], { stdio: ["ignore", "inherit", "inherit"] });
  const still = missingPackages();
  if (still.length === 0) return undefined;
  return `${still.join(", ")} could not be installed. Run, and read what it says:\n\n  ${installCommand(still, right)}\n`;
}
