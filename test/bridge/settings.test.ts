import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { faultLine, loadSettings } from "../../src/bridge/index.ts";
import { settingKeys } from "../../src/bridge/settings/keys.ts";
import { placesOf } from "../../src/bridge/settings/places.ts";
import { parsePolicy, policyKey } from "../../src/bridge/settings/policy.ts";
import { FakeMachine } from "./support/fake-machine.ts";

const folder = mkdtempSync(join(tmpdir(), "jackfield-settings-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function fileOf(content: unknown): string {
  const file = join(folder, `${++files}.json`);
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}
const load = (content: unknown) => loadSettings(new FakeMachine(), fileOf(content));
const faultsOf = async (content: unknown) => (await load(content)).faults.map(faultLine);

describe("settings of the bridge", () => {
  it("stand at their defaults without a file", async () => {
    const { settings, faults, sources } = await loadSettings(new FakeMachine("linux", folder));
    expect(faults).toEqual([]);
    expect(sources).toEqual([]);
    expect(settings).toMatchObject({ port: 8000, window: "on-register", origins: undefined });
    expect(settings.folder).toBe(join(folder, ".local/state/jackfield/bridge"));
  });

  it("are what the file says", async () => {
    const { settings, faults } = await load({
      gateway: { url: "https://gw.example.com:8443/", ca: "/etc/ca.pem" },
      port: 8001,
      origins: ["https://wwe.example.com"],
      window: "always",
      browser: { size: [500, 700], arguments: ["--one"] },
    });
    expect(faults).toEqual([]);
    expect(settings.gateway).toEqual({ url: "https://gw.example.com:8443", ca: "/etc/ca.pem" });
    expect(settings).toMatchObject({ port: 8001, origins: ["https://wwe.example.com"], window: "always" });
    expect(settings.browser).toMatchObject({ size: [500, 700], arguments: ["--one"] });
  });

  it("name key, value and remedy of each fault", async () => {
    const [port, word, ...none] = await faultsOf({ port: 70_000, window: "sometimes" });
    expect(none).toEqual([]);
    expect(port).toMatch(/\.json: port 70000 is out of range or not a number; write a whole number/);
    expect(word).toMatch(/window sometimes is not one of its words; write always, on-register, never$/);
  });

  it.each([
    [{ gateway: { url: "http://gw.example.com" } }, "gateway.url http://gw.example.com is not https"],
    [{ gateway: { url: "https://gw.example.com/path" } }, "has more than scheme, host and port"],
    [{ origins: ["https://a.example", "nonsense"] }, 'has "nonsense", which is not an address'],
    [{ gateway: { ca: "ca.pem" } }, "is not a path from the root"],
    [{ prot: 8000 }, "prot 8000 is no key of the bridge"],
    [{ constructor: 1 }, "constructor 1 is no key of the bridge"],
    [{ gateway: "https://gw.example.com" }, "is no key of the bridge"],
    [{ browser: { size: [10, 10] } }, "is not a width and a height"],
    ["{", "is not a JSON object"],
    ["[]", "is not a JSON object"],
    [" ".repeat(70_000), "is too large"],
  ])("refuse %j", async (content, words) => {
    const faults = await faultsOf(content);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(words);
  });

  it("take a gateway without TLS on this machine alone", async () => {
    expect(await faultsOf({ gateway: { url: "http://127.0.0.1:8080" } })).toEqual([]);
  });

  it("say so when the file that was named is not there", async () => {
    const { faults } = await loadSettings(new FakeMachine(), join(folder, "nowhere.json"));
    expect(faults.map(faultLine)).toEqual([expect.stringContaining("cannot be read (ENOENT)")]);
  });

  it("are decided by group policy before the file", async () => {
    const machine = new FakeMachine("win32");
    machine.outputs.set(
      `C:\\Windows\\System32\\reg.exe query ${policyKey}`,
      `\r\nHKEY_LOCAL_MACHINE\\Software\\Policies\\Jackfield\\Bridge\r\n    port    REG_DWORD    0x1f41\r\n` +
        `    origins    REG_MULTI_SZ    https://a.example\\0https://b.example\r\n` +
        `    gateway.url    REG_SZ    https://gw.example.com\r\n    window    REG_SZ    often\r\n\r\n`,
    );
    const file = fileOf({ port: 9000, window: "never", log: { level: "debug" } });
    const { settings, faults, sources } = await loadSettings(machine, file);
    expect(settings).toMatchObject({ port: 8001, origins: ["https://a.example", "https://b.example"] });
    expect(settings.gateway.url).toBe("https://gw.example.com");
    expect(settings.log.level).toBe("debug");
    expect(sources).toEqual([policyKey, file]);
    expect(faults.map(({ source, key }) => [source, key])).toEqual([[policyKey, "window"]]);
  });

  it("read what reg.exe prints, names without a value and in other languages too", () => {
    const values = parsePolicy(
      "\r\nHKEY\r\n    (Standard)    REG_SZ    \r\n    a.b    REG_SZ\r\n    c    REG_SZ    d    e\r\n",
    );
    expect([...values]).toEqual([
      ["a.b", ""],
      ["c", "d    e"],
    ]);
  });

  it("stand in docs/bridge.md, each of them", () => {
    const guide = readFileSync(new URL("../../docs/bridge.md", import.meta.url), "utf8");
    expect(settingKeys.filter((key) => !guide.includes(`\n| \`${key}\``))).toEqual([]);
  });

  it("lie where each platform has them, the person's own first", () => {
    const windows = new FakeMachine("win32", "C:\\Users\\anna");
    windows.env["LOCALAPPDATA"] = "D:\\local";
    windows.env["ProgramFiles"] = "D:\\programs";
    expect(placesOf(windows)).toEqual({
      files: ["D:\\local\\Jackfield\\Bridge\\bridge.json", "D:\\programs\\Jackfield Bridge\\bridge.json"],
      folder: "D:\\local\\Jackfield\\Bridge",
    });
    expect(placesOf(new FakeMachine("darwin", "/there/anna")).files).toEqual([
      "/there/anna/Library/Application Support/Jackfield/Bridge/bridge.json",
      "/Library/Application Support/Jackfield/bridge.json",
    ]);
    expect(placesOf(new FakeMachine()).files).toEqual([
      "/there/anna/.config/jackfield/bridge.json",
      "/etc/jackfield/bridge.json",
    ]);
  });
});
