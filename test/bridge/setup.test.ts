import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadCertificate, loadOrMakeCertificate } from "../../src/bridge/certificate/certificate.ts";
import { certificateFolder } from "../../src/bridge/certificate/folder.ts";
import { secretStore } from "../../src/bridge/credentials/credentials.ts";
import { runSetup, type SetupCommand, type SetupOptions } from "../../src/bridge/setup.ts";
import { silentLogger, systemRandom } from "../../src/core/index.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { newFolder, RecordingPc } from "./support/pc.ts";

const surroundings = { clock: new FakeClock(Date.now()), random: systemRandom, log: silentLogger };

function bench(pc: RecordingPc, folder = join(newFolder(), "bridge")) {
  const options: SetupOptions = {
    folder,
    machine: false,
    entries: ["browser", "bridge.log"],
    program: { node: "/opt/node", script: "/opt/jackfield.js", args: [] },
    pc,
    say: pc.say,
    surroundings,
  };
  const run = (command: SetupCommand, more: Partial<SetupOptions> = {}): Promise<number> =>
    runSetup(command, { ...options, ...more });
  return { folder, run };
}

describe("setting a PC up", () => {
  it("leaves nothing of the bridge's behind after uninstall, and what is not the bridge's alone", async () => {
    const pc = new RecordingPc("linux");
    const { folder, run } = bench(pc);
    expect([await run("install"), await run("trust")]).toEqual([0, 0]);
    pc.answer = () => ({ code: 1 });
    await secretStore(folder, pc).write("token");
    mkdirSync(join(folder, "browser", "Default"), { recursive: true });
    writeFileSync(join(folder, "bridge.log"), "");
    writeFileSync(join(folder, "mine.txt"), "");
    pc.answer = () => ({});
    expect(await run("uninstall")).toBe(0);
    expect(readdirSync(folder)).toEqual(["mine.txt"]);
    expect(
      readdirSync(pc.home, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()),
    ).toEqual([]);
    expect(await run("uninstall")).toBe(0);
    const fresh = bench(pc);
    await fresh.run("trust");
    await fresh.run("uninstall");
    expect(existsSync(fresh.folder)).toBe(false);
  });

  it("says by the exit code that a bridge may still run after uninstall, and takes all else away", async () => {
    const pc = new RecordingPc("linux");
    const { folder, run } = bench(pc);
    expect([await run("install"), await run("trust")]).toEqual([0, 0]);
    pc.answer = ({ program }) => ({ code: program === "systemctl" ? 1 : 0 });
    expect(await run("uninstall")).toBe(1);
    expect(existsSync(folder)).toBe(false);
    expect(pc.said.join("\n")).toContain("The bridge may still run.");
  });

  it("takes the key away with the trust, so that who trusts anew gets another", async () => {
    const pc = new RecordingPc("linux");
    const { folder, run } = bench(pc);
    await run("trust");
    const first = loadCertificate(join(folder, "certificate"));
    await run("untrust");
    expect(existsSync(join(folder, "certificate"))).toBe(false);
    expect(await run("untrust")).toBe(0);
    await run("trust");
    expect(loadCertificate(join(folder, "certificate"))?.authority.sha1).not.toBe(first?.authority.sha1);
  });

  it("says of a renewed certificate that a bridge that runs shows the former one", async () => {
    const pc = new RecordingPc("linux");
    pc.answer = ({ args }) => ({ code: args.includes("-L") ? 1 : 0 });
    const { run } = bench(pc);
    expect(await run("trust")).toBe(0);
    expect(pc.said.join("\n")).not.toContain("the former certificate");
    const clock = new FakeClock(surroundings.clock.wallClock() + 710 * 86_400_000);
    expect(await run("trust", { surroundings: { ...surroundings, clock } })).toBe(0);
    expect(pc.said.join("\n")).toMatch(/the former certificate.*start it anew/);
  });

  it("for all users is one task and one certificate below Program Files, which those who log in use, until it is taken down", async () => {
    const files = newFolder();
    const pc = new RecordingPc("win32", { ProgramFiles: files, SystemRoot: "C:\\Windows" });
    const trusted = new Set<string>();
    pc.answer = ({ args }) => {
      if (args.includes("-addstore")) trusted.add("yes");
      if (args.includes("-delstore")) trusted.clear();
      return { code: args.includes("-store") && trusted.size === 0 ? 1 : 0 };
    };
    const { folder, run } = bench(pc);
    expect(certificateFolder(folder, pc, surroundings.clock)).toBe(join(folder, "certificate"));
    expect(await run("install", { machine: true })).toBe(0);
    const shared = certificateFolder(folder, pc, surroundings.clock);
    expect(shared.startsWith(files)).toBe(true);
    expect((await loadOrMakeCertificate(shared, surroundings)).cert).toContain("BEGIN CERTIFICATE");
    const verbs = (): string[] => pc.ran.map(({ args }) => args.find((word) => /^[-/]/.test(word)) ?? "");
    expect(verbs()).toEqual(["/Create", "-store", "-addstore"]);
    expect(pc.ran.at(-1)?.args).not.toContain("-user");
    // Expired, and only an administrator may renew it.
    const later = new FakeClock(Date.now() + 800 * 86_400_000);
    expect(certificateFolder(folder, pc, later)).toBe(join(folder, "certificate"));
    expect(await run("uninstall", { machine: true })).toBe(0);
    expect(verbs().slice(3)).toEqual(["/End", "/Delete", "-store", "-delstore"]);
    expect(loadCertificate(shared)).toBeUndefined();
    expect(certificateFolder(folder, pc, surroundings.clock)).toBe(join(folder, "certificate"));
  });

  it("for all users leaves no task where the certificate is not trusted: the installer takes all else away", async () => {
    const pc = new RecordingPc("win32", { ProgramFiles: newFolder() });
    pc.answer = ({ program }) => ({ code: program.endsWith("certutil.exe") ? 1 : 0 });
    expect(await bench(pc).run("install", { machine: true })).toBe(1);
    expect(pc.ran.at(-1)?.args).toEqual(["/Delete", "/F", "/TN", "Jackfield bridge"]);
  });

  it("for all users is refused elsewhere than on Windows, and failures are told by the exit code", async () => {
    const pc = new RecordingPc("linux");
    for (const command of ["install", "uninstall", "trust", "untrust"] as const)
      expect([command, await bench(pc).run(command, { machine: true })]).toEqual([command, 1]);
    expect([pc.ran, pc.said[0]]).toEqual([
      [],
      "--machine is for Windows. Elsewhere each user sets his own bridge up.",
    ]);
    pc.answer = () => ({ code: 1, stderr: "no" });
    expect([await bench(pc).run("install"), await bench(pc).run("trust")]).toEqual([1, 1]);
    const file = join(newFolder(), "file");
    writeFileSync(file, "");
    expect(await bench(pc, file).run("trust")).toBe(1);
    expect(pc.said.at(-1)).toMatch(/ENOTDIR|EEXIST/);
  });
});
