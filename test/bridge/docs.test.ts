import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { faultLine, loadSettings } from "../../src/bridge/index.ts";
import { agentLabel, taskName, unitName } from "../../src/bridge/login/definitions.ts";
import { checkSettings, settingKeys } from "../../src/bridge/settings/keys.ts";
import { placesOf } from "../../src/bridge/settings/places.ts";
import { policyKey } from "../../src/bridge/settings/policy.ts";
import { bridgeUsage } from "../../src/cli/commands/bridge.ts";
import { EndpointTokens } from "../../src/endpoint/index.ts";
import { root } from "../house/support/files.ts";
import { CountingRandom } from "../support/counting-random.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { FakeGateway, wwe } from "./support/fake-gateway.ts";
import { FakeMachine } from "./support/fake-machine.ts";
import { LocalTrust, openBridge } from "./support/open-bridge.ts";
import { newFolder } from "./support/pc.ts";

const bridge = readFileSync(join(root, "docs/bridge.md"), "utf8");
const install = readFileSync(join(root, "docs/bridge-install.md"), "utf8");
const both = `${bridge}\n${install}`;

/** Rows of the table below a heading, cell by cell. */
function rowsBelow(heading: string): string[][] {
  const [, section = ""] = bridge.split(`\n## ${heading}\n`);
  const lines = (section.split("\n## ")[0] ?? "").split("\n").filter((line) => line.startsWith("| "));
  return lines.map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe("docs/bridge.md and docs/bridge-install.md", () => {
  it("show settings files that are taken", async () => {
    const files = [
      ...Array.from(both.matchAll(/```json\n([^]*?)```/g), ([, text = ""]) => text),
      ...Array.from(both.matchAll(/echo '(\{.*?\})' > \S+\.json/g), ([, text = ""]) => text),
    ];
    expect(files).toHaveLength(2);
    for (const text of files) {
      const file = join(newFolder(), "bridge.json");
      writeFileSync(file, text);
      expect((await loadSettings(new FakeMachine(), file)).faults.map(faultLine)).toEqual([]);
    }
  });

  it("name the defaults that stand without a file, and where the files lie", async () => {
    const { settings } = await loadSettings(new FakeMachine("linux", newFolder()));
    const { port, window, browser, log } = settings;
    const told = new Map(rowsBelow("Settings").map(([key = "", value]) => [key.replaceAll("`", ""), value]));
    expect(settingKeys.every((key) => told.has(key))).toBe(true);
    expect([told.get("port"), told.get("window")]).toEqual([String(port), `\`${window}\``]);
    expect(told.get("browser.size")).toBe(`[${browser.size.join(", ")}]`);
    expect(told.get("log.level")).toBe(`\`${log.level}\``);
    expect(told.get("log.megabytes")).toBe(String(log.megabytes));
    for (const [platform, home] of [
      ["Linux", "~"],
      ["macOS", "~"],
    ] as const) {
      const machine = new FakeMachine(platform === "Linux" ? "linux" : "darwin", home);
      for (const file of placesOf(machine).files) expect(bridge).toMatch(row(platform, file));
    }
    const windows = new FakeMachine("win32");
    Object.assign(windows.env, { LOCALAPPDATA: "%LOCALAPPDATA%", ProgramFiles: "%ProgramFiles%" });
    for (const file of placesOf(windows).files) expect(bridge).toMatch(row("Windows", file));
  });

  it("set values of the policy that are read and taken", () => {
    const adds = Array.from(
      install.matchAll(/^reg add (\S+) \/v (\S+) \/t (\S+) \/d (\S+)$/gm),
      ([, ...add]) => add,
    );
    expect(adds.length).toBeGreaterThan(1);
    expect(adds.every(([key, , type]) => key === policyKey && type === "REG_SZ")).toBe(true);
    const values = new Map(adds.map(([, name = "", , value]) => [name, value]));
    expect(checkSettings([{ name: policyKey, values }], "/").faults).toEqual([]);
    expect(bridge).toContain(`\`${policyKey}\``);
  });

  it("type commands that there are", () => {
    const known = new Set(bridgeUsage.match(/[a-z]+|--[a-z]+/g));
    const typed = Array.from(
      both.matchAll(/jackfield(?:\.js")? bridge ([a-z]+|--[a-z]+)/g),
      ([, word]) => word,
    );
    expect(typed.length).toBeGreaterThan(10);
    expect(typed.filter((word) => !known.has(word ?? "") && word !== "alone")).toEqual([]);
    for (const name of [taskName, unitName, agentLabel]) expect(install).toContain(`\`${name}\``);
    for (const [, path = ""] of both.matchAll(/\b(packaging\/[\w./-]+)/g))
      expect(readdirSync(join(root, path, "..")).join(), path).toContain(path.split("/").pop());
  });

  it("show a code as the gateway makes them, and its answer", () => {
    const [, shown = "{}"] = /```http\nPOST \/api\/endpoint\/codes\n[^]*?\n200 (.*)\n```/.exec(bridge) ?? [];
    const tokens = new EndpointTokens({
      secret: "a secret",
      revoked: () => [],
      pageSessionMs: 1,
      clock: new FakeClock(),
      random: new CountingRandom(),
    });
    const form = (code: string): string => code.replaceAll(/[0-9A-HJKMNP-TV-Z]/g, "x");
    const { code, expires_at } = JSON.parse(shown) as { code: string; expires_at: string };
    expect([form(code), expires_at]).toEqual([form(tokens.issueCode("5001")?.code ?? ""), "..."]);
    expect(both.match(/enrol [0-9A-Z]{4}-\S+/g)?.every((one) => one === `enrol ${code}`)).toBe(true);
  });

  it("tell what WWE gets, row by row", async () => {
    const trust = new LocalTrust();
    const gateway = await new FakeGateway().listen();
    const opened = await openBridge(trust, gateway.url);
    const json = { origin: wwe, "content-type": "application/json" };
    const ask = async (path: string, headers: Record<string, string>, method = "GET", body?: string) => {
      const answer = await opened.ask(path, { method, headers, ...(body === undefined ? {} : { body }) });
      return [
        answer.status,
        ...(answer.headers["access-control-allow-origin"] === undefined ? ["no CORS"] : []),
      ];
    };
    const asked = [
      [await ask("/Ping", {}), await ask("/Ping", { origin: "https://evil.example" })],
      [await ask("/Ping", { ...json, host: "evil.example" })],
      [await ask("/Ping", json, "OPTIONS")],
      [
        await ask("/RegisterDn", { ...json, "content-type": "text/plain" }, "POST", "{}"),
        await ask("/RegisterDn", json, "POST", `"${"x".repeat(66_000)}"`),
      ],
      [await ask("/GetDnSIP", json)],
    ];
    await gateway.close();
    asked.push([await ask("/RegisterDn", json, "POST", "{}"), await ask("/Ping", json)]);
    const [, , ...rows] = rowsBelow("What WWE gets").map(([, answer = ""]) => answer);
    expect(asked).toEqual([
      [
        [403, "no CORS"],
        [403, "no CORS"],
      ],
      [[403, "no CORS"]],
      [[200]],
      [[415], [413]],
      [[200]],
      [[200], [503]],
    ]);
    for (const [at, codes] of ["403", "403", "200", "415, 413", "the gateway's", "503"].entries())
      expect(rows[at]).toContain(codes);
    expect(rows).toHaveLength(asked.length);
    await opened.bridge.close();
    trust.authority.remove();
  });

  it("quote words that the bridge says", () => {
    const source = readdirSync(join(root, "src/bridge"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => readFileSync(join(root, "src/bridge", name), "utf8"))
      .join("\n");
    const quoted = rowsBelow("Trouble").flatMap(([seen = ""]) =>
      Array.from(seen.matchAll(/"([^"]+)"/g), ([, words = ""]) => words.replace(/ \.\.\.$/, "")),
    );
    expect(quoted.length).toBeGreaterThan(5);
    for (const words of quoted) expect(source).toContain(words);
  });
});

function row(platform: string, file: string): RegExp {
  const escaped = file.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
  return new RegExp(`^\\| ${platform} +\\|.*\`${escaped}\``, "m");
}
