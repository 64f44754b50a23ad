import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { allUsers, launchAgent, systemdUnit, windowsTask } from "../../../src/bridge/login/definitions.ts";
import { installAtLogin, uninstallAtLogin } from "../../../src/bridge/login/login.ts";
import { isPresent } from "../../setup/debian.ts";
import { newFolder, RecordingPc } from "../support/pc.ts";
import { faultOfXml } from "../support/xml.ts";

const program = {
  node: "/opt/node 24/bin/node",
  script: "/opt/jack&field/bin/jackfield.js",
  args: ["--config", "/etc/100%$x.json"],
};
const onWindows = {
  node: "C:\\Program Files\\Jackfield Bridge\\node.exe",
  script: "C:\\Program Files\\Jackfield Bridge\\bin\\jackfield.js",
  args: ["--config", "C:\\a & b\\"],
};

describe("the bridge at login", () => {
  it("on Linux is a unit of the user's, written, shown, enabled and started; twice is as good as once", async () => {
    const pc = new RecordingPc("linux");
    for (const _ of [1, 2]) expect(await installAtLogin(program, newFolder(), pc, pc.say)).toBe(true);
    const file = join(pc.home, ".config/systemd/user/jackfield-bridge.service");
    expect(readFileSync(file, "utf8")).toBe(systemdUnit(program));
    expect(pc.said.join("\n")).toContain(systemdUnit(program));
    const once = ["daemon-reload", "enable jackfield-bridge.service", "restart jackfield-bridge.service"];
    expect(pc.lines).toEqual([...once, ...once].map((line) => `systemctl --user ${line}`));
  });

  it("on Linux leaves nothing when uninstalled, the link that systemctl made neither, even where systemd does not answer", async () => {
    const pc = new RecordingPc("linux", { XDG_CONFIG_HOME: newFolder() });
    const units = join(pc.env["XDG_CONFIG_HOME"] ?? "", "systemd/user");
    await installAtLogin(program, newFolder(), pc, pc.say);
    mkdirSync(join(units, "graphical-session.target.wants"));
    writeFileSync(join(units, "graphical-session.target.wants", "jackfield-bridge.service"), "");
    pc.answer = () => ({ code: 1, stderr: "Failed to connect to bus" });
    pc.ran.length = 0;
    expect(await uninstallAtLogin(newFolder(), pc, pc.say)).toBe(false);
    expect(pc.said.join("\n")).toMatch(/may still run.* by: systemctl --user stop jackfield-bridge\.service/);
    expect(readdirSync(units, { recursive: true })).toEqual(["graphical-session.target.wants"]);
    expect(pc.lines).toEqual([
      "systemctl --user disable --now jackfield-bridge.service",
      "systemctl --user daemon-reload",
    ]);
    expect(await uninstallAtLogin(newFolder(), pc, pc.say)).toBe(true);
    expect(pc.lines).toHaveLength(2);
  });

  it("on macOS is an agent of launchd's, loaded at once, replaced where it was loaded", async () => {
    const pc = new RecordingPc("darwin");
    const file = "~/Library/LaunchAgents/jackfield.bridge.plist";
    for (const _ of [1, 2]) expect(await installAtLogin(program, newFolder(), pc, pc.say)).toBe(true);
    expect(await uninstallAtLogin(newFolder(), pc, pc.say)).toBe(true);
    const once = ["enable gui/501/jackfield.bridge", `bootstrap gui/501 ${file}`];
    const out = "bootout gui/501/jackfield.bridge";
    expect(pc.lines).toEqual([...once, out, ...once, out].map((line) => `/bin/launchctl ${line}`));
    expect(readdirSync(join(pc.home, "Library/LaunchAgents"))).toEqual([]);
  });

  it("on Windows is a task of this user's, in UTF-16 as schtasks takes it", async () => {
    const pc = new RecordingPc("win32", { SystemRoot: "C:\\Windows", USERDOMAIN: "CORP", USERNAME: "anna" });
    const folder = join(newFolder(), "bridge");
    for (const _ of [1, 2]) expect(await installAtLogin(onWindows, folder, pc, pc.say)).toBe(true);
    const file = join(folder, "login-task.xml");
    const bytes = readFileSync(file);
    expect([...bytes.subarray(0, 2)]).toEqual([0xff, 0xfe]);
    const written = bytes.toString("utf16le").slice(1);
    expect(written.replaceAll("\r\n", "\n")).toBe(windowsTask(onWindows, { userId: "CORP\\anna" }));
    expect(await uninstallAtLogin(folder, pc, pc.say)).toBe(true);
    const task = '/TN "Jackfield bridge"';
    const created = pc.lines.filter((line) => line.includes("/Create"));
    expect(created).toHaveLength(2);
    expect(pc.ran[0]?.args).toEqual(["/Create", "/F", "/XML", file, "/TN", "Jackfield bridge"]);
    expect(pc.lines.filter((line) => !line.includes("/Create"))).toEqual(
      ["/Run", "/End", "/Run", "/End", "/Delete /F"].map(
        (verb) => `C:\\Windows\\System32\\schtasks.exe ${verb} ${task}`,
      ),
    );
    expect(existsSync(file)).toBe(false);
  });

  it("that cannot be ended is told with what to do, by the exit code too; what was not there to end is none", async () => {
    const mac = new RecordingPc("darwin");
    await installAtLogin(program, newFolder(), mac, mac.say);
    mac.answer = ({ args }) => ({ code: args.includes("bootout") ? 5 : 0 });
    expect(await uninstallAtLogin(newFolder(), mac, mac.say)).toBe(false);
    expect(mac.said.join("\n")).toContain("/bin/launchctl bootout gui/501/jackfield.bridge");
    await installAtLogin(program, newFolder(), mac, mac.say);
    mac.answer = () => ({ code: 113 });
    expect(await uninstallAtLogin(newFolder(), mac, mac.say)).toBe(true);

    const windows = new RecordingPc("win32", { SystemRoot: "C:\\Windows" });
    const folder = newFolder();
    await installAtLogin(onWindows, folder, windows, windows.say);
    windows.answer = ({ args }) => ({ code: args.includes("/Query") ? 0 : 1 });
    expect(await uninstallAtLogin(folder, windows, windows.say)).toBe(false);
    expect(windows.said.at(-1)).toContain('schtasks.exe /Delete /F /TN "Jackfield bridge"');
    expect(await uninstallAtLogin(folder, windows, windows.say)).toBe(false);
    windows.answer = () => ({ code: 1 });
    expect(await uninstallAtLogin(folder, windows, windows.say)).toBe(true);

    const bare = new RecordingPc("linux");
    await installAtLogin(program, newFolder(), bare, bare.say);
    bare.answer = () => ({ code: "missing" });
    expect(await uninstallAtLogin(newFolder(), bare, bare.say)).toBe(true);
  });

  it("that cannot be installed is told as such, with the reason", async () => {
    const pc = new RecordingPc("win32");
    pc.answer = () => ({ code: 1, stderr: "ERROR: Access is denied." });
    expect(await installAtLogin(onWindows, newFolder(), pc, pc.say)).toBe(false);
    expect(pc.said.join("\n")).toContain("ERROR: Access is denied.");
    const other = new RecordingPc("freebsd");
    expect(await installAtLogin(program, newFolder(), other, other.say)).toBe(false);
    expect(await uninstallAtLogin(newFolder(), other, other.say)).toBe(false);
  });
});

describe("its definitions", () => {
  it("keep paths with blanks and odd letters together, each in its platform's way", () => {
    expect(systemdUnit(program)).toContain(
      'ExecStart="/opt/node 24/bin/node" "/opt/jack&field/bin/jackfield.js" bridge --config /etc/100%%$$x.json\n',
    );
    expect(launchAgent(program)).toContain("<string>/opt/jack&amp;field/bin/jackfield.js</string>");
    expect(windowsTask(onWindows, allUsers)).toContain(
      "<Arguments>--headless &quot;C:\\Program Files\\Jackfield Bridge\\node.exe&quot; " +
        "&quot;C:\\Program Files\\Jackfield Bridge\\bin\\jackfield.js&quot; bridge --config &quot;C:\\a &amp; b\\\\&quot;</Arguments>",
    );
  });

  it("are started again after a fault, have no time limit, and on Windows no window and no rights of an administrator", () => {
    const task = windowsTask(onWindows, { userId: "CORP\\anna" });
    expect(task).toContain("<ExecutionTimeLimit>PT0S</ExecutionTimeLimit>");
    expect(task).toContain("<RestartOnFailure>");
    expect(task).toContain("<RunLevel>LeastPrivilege</RunLevel>");
    expect(task).toMatch(/<Command>%SystemRoot%\\System32\\conhost\.exe<\/Command>\s*<Arguments>--headless /);
    expect(task.match(/<UserId>CORP\\anna<\/UserId>/g)).toHaveLength(2);
    const forAll = windowsTask(onWindows, allUsers);
    expect(forAll).not.toContain("UserId");
    expect(forAll).toContain("<GroupId>S-1-5-32-545</GroupId>");
    expect(forAll).toContain("<MultipleInstancesPolicy>Parallel</MultipleInstancesPolicy>");
    expect(systemdUnit(program)).toMatch(/^Restart=on-failure$/m);
    expect(launchAgent(program)).toMatch(/<key>SuccessfulExit<\/key>\s*<false\/>/);
  });

  it.skipIf(!isPresent("systemd-analyze"))("are taken by systemd as a unit of a user's", () => {
    const folder = newFolder();
    const file = join(folder, "jackfield-bridge.service");
    // It looks whether the program is there.
    writeFileSync(file, systemdUnit({ ...program, node: "/bin/true" }));
    const env = { ...process.env, XDG_RUNTIME_DIR: folder };
    const verified = spawnSync("systemd-analyze", ["--user", "--man=no", "verify", file], {
      encoding: "utf8",
      env,
    });
    expect([verified.status, verified.stdout + verified.stderr]).toEqual([0, ""]);
    writeFileSync(file, systemdUnit(program).replace("Type=exec", "Typ=exec"));
    const wrong = spawnSync("systemd-analyze", ["--user", "--man=no", "verify", file], {
      encoding: "utf8",
      env,
    });
    expect(wrong.stderr).toContain("Typ");
  });

  it("are well-formed XML", () => {
    for (const xml of [launchAgent(program), windowsTask(onWindows, allUsers)])
      expect(faultOfXml(xml)).toBeUndefined();
    expect(faultOfXml("<a><b></a>")).toBe("</a> closes b");
  });
});
