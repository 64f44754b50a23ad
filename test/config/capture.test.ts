import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/index.ts";
import { configOf, faultsOf, minimal, told, warned, writeFiles } from "./support.ts";

const token = "0123456789abcdef";
const withAdmin = (value: string): string => `${minimal}\nadmin: ${value}\n`;
const withFolder = (folder: string): string =>
  minimal.replace("203.0.113.10 }", `203.0.113.10, captureDirectory: ${folder} }`);

describe("the admin token", () => {
  it("is none by default, and else stands in the file, a variable or a file of its own", () => {
    expect(configOf(minimal).admin.token).toBeUndefined();
    expect(configOf(withAdmin(`{ token: ${token} }`)).admin).toMatchObject({ token });
    expect(configOf(minimal, { env: { JACKFIELD__ADMIN__TOKEN: token } }).admin).toMatchObject({ token });
    const files = { token: `${token}\n` };
    expect(configOf(withAdmin("{ tokenFile: token }"), { files }).admin).toMatchObject({ token });
  });

  it("is refused when it is short or no header could carry it, and never shown", () => {
    for (const bad of ["fifteen-letters", '"with a space in it"', '"with-a-\\u0007-bell-in-it"']) {
      const faults = faultsOf(withAdmin(`{ token: ${bad} }`));
      expect(faults).toMatchObject([{ key: "admin.token", value: "[cut]" }]);
      expect(JSON.stringify(faults)).not.toContain(bad.replaceAll('"', ""));
    }
    const short = { files: { token: "fifteen-letters" } };
    expect(told(withAdmin("{ tokenFile: token }"), short)).toEqual([
      expect.stringContaining("admin.tokenFile holds no token"),
    ]);
    expect(JSON.stringify(faultsOf(withAdmin("{ tokenFile: token }"), short))).not.toContain("fifteen");
  });

  it("stands in one place", () => {
    const both = withAdmin(`{ token: ${token}, tokenFile: token }`);
    expect(told(both, { files: { token } })).toEqual(["admin.tokenFile stands beside admin.token"]);
  });
});

describe("the folder for captures", () => {
  it("counts from the configuration file's folder, and must be there", () => {
    const file = writeFiles(`${withFolder("captures")}\nadmin: { token: ${token} }\n`);
    const before = loadConfig({ file, env: {} });
    expect(before.ok ? [] : before.faults).toMatchObject([
      { key: "media.captureDirectory", value: '"captures"', reason: "does not exist" },
    ]);
    const folder = join(dirname(file), "captures");
    mkdirSync(folder);
    const after = loadConfig({ file, env: {} });
    expect(after.ok && after.config.media.captureDirectory).toBe(folder);
    expect(after.warnings).toEqual([]);
    expect(configOf(minimal).media.captureDirectory).toBeUndefined();
  });

  it("is no file", () => {
    expect(told(withFolder("jackfield.yaml"))).toEqual(["media.captureDirectory is no folder"]);
  });

  it("is of no use without a token, which is told", () => {
    expect(warned(withFolder("."))).toEqual([
      expect.stringContaining("captures are asked for by the admin API"),
    ]);
  });
});
