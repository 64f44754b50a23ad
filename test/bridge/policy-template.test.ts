import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { settingKeys } from "../../src/bridge/settings/index.ts";
import { policyKey } from "../../src/bridge/settings/policy.ts";
import { root } from "../house/support/files.ts";
import { faultOfXml } from "./support/xml.ts";

const admx = readFileSync(join(root, "packaging/admx/jackfield-bridge.admx"), "utf8");
const adml = readFileSync(join(root, "packaging/admx/en-US/jackfield-bridge.adml"), "utf8");
const all = (text: string, pattern: RegExp): string[] =>
  Array.from(text.matchAll(pattern), ([, found = ""]) => found);

describe("the group policy template", () => {
  it("is well-formed, template and words", () => {
    expect([faultOfXml(admx), faultOfXml(adml)]).toEqual([undefined, undefined]);
  });

  it("has a policy for each setting of the bridge, written where the bridge reads", () => {
    expect(all(admx, /valueName="([^"]+)"/g).sort()).toEqual([...settingKeys].sort());
    const key = policyKey.replace("HKLM\\", "");
    expect(new Set(all(admx, /<policy [^>]*key="([^"]+)"/g))).toEqual(new Set([key]));
    expect(all(admx, /<policy [^>]*class="([^"]+)"/g).every((one) => one === "Machine")).toBe(true);
  });

  it("has words and a control for each, and none left over", () => {
    const words = all(adml, /<string id="([^"]+)"/g);
    expect([...new Set(all(admx, /\$\(string\.([^)]+)\)/g))].sort()).toEqual(words.sort());
    const controls = all(adml, /<presentation id="([^"]+)"/g);
    expect(all(admx, /\$\(presentation\.([^)]+)\)/g)).toEqual(controls);
    expect(all(adml, /refId="([^"]+)"/g)).toEqual(
      all(admx, /<(?:text|decimal|multiText|enum) id="([^"]+)"/g),
    );
  });
});
