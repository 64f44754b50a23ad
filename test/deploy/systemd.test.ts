import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../house/support/files.ts";
import { isPresent } from "../setup/debian.ts";

const unit = readFileSync(join(root, "deploy", "jackfield.service"), "utf8");
const value = (key: string): string => new RegExp(`^${key}=(.*)$`, "m").exec(unit)?.[1] ?? "not set";

describe("deploy/jackfield.service", () => {
  it("drains by SIGTERM for longer than the gateway does, reloads by SIGHUP, and is started anew after a fault", () => {
    expect(value("KillSignal")).toBe("SIGTERM");
    expect(Number(value("TimeoutStopSec"))).toBeGreaterThanOrEqual(315);
    expect(value("ExecReload")).toBe("/bin/kill -HUP $MAINPID");
    expect(value("Restart")).toBe("on-failure");
  });

  it("has no right that a gateway does not need, and a folder to write to", () => {
    for (const key of [
      "NoNewPrivileges",
      "PrivateTmp",
      "PrivateDevices",
      "ProtectHome",
      "ProtectKernelModules",
      "ProtectKernelTunables",
      "RestrictNamespaces",
      "RestrictSUIDSGID",
    ])
      expect([key, value(key)]).toEqual([key, "yes"]);
    expect(value("ProtectSystem")).toBe("strict");
    expect(value("CapabilityBoundingSet")).toBe("");
    expect(value("StateDirectory")).toBe("jackfield");
    // V8 could not run.
    expect(unit).not.toMatch(/^MemoryDenyWriteExecute=yes/m);
  });

  it.skipIf(!isPresent("systemd-analyze"))(
    "is a unit that systemd takes, and that it finds well confined",
    () => {
      const folder = mkdtempSync(join(tmpdir(), "jackfield-unit-"));
      const file = join(folder, "jackfield.service");
      // It looks whether the program is there.
      writeFileSync(file, unit.replaceAll(/^ExecStart=\S+/gm, "ExecStart=/bin/true"));
      try {
        const verified = spawnSync("systemd-analyze", ["verify", file], { encoding: "utf8" });
        expect([verified.status, verified.stdout + verified.stderr]).toEqual([0, ""]);
        const judged = spawnSync("systemd-analyze", ["security", "--offline=true", "--threshold=20", file]);
        expect(judged.status).toBe(0);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});
