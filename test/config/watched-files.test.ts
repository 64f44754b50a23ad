import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { configChanges, loadConfig, rereadFiles, type ConfigResult } from "../../src/config/index.ts";
import { minimal, writeFiles } from "./support.ts";

const newKey = (): string =>
  generateKeyPairSync("ec", { namedCurve: "P-256" })
    .publicKey.export({ type: "spki", format: "pem" })
    .toString();
const jwt = (keys: string): string =>
  minimal.replace(
    "agents: {",
    `admin: { token: 0123456789abcdef0123456789abcdef }\nagents: { jwt: { issuer: a, audience: b, ${keys} },`,
  );
const webhook = `records: { webhook: { url: "https://billing.test/", queueDirectory: ".", ca: ca.pem, secretFile: hook } }`;

type Loaded = Extract<ConfigResult, { ok: true }>;
function read(file: string): Loaded {
  const result = loadConfig({ file, env: {} });
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result;
}

describe("files with keys that are watched", () => {
  const yaml = `${jwt("publicKeyFile: idp.pem, algorithms: [ES256]")}${webhook}`;
  const files = { "idp.pem": newKey(), "ca.pem": "first", hook: "hook-secret-1" };

  it("are those of tokens and of the webhook, too", () => {
    const file = writeFiles(yaml, files);
    const named = ["idp.pem", "hook", "ca.pem"].map((name) => join(dirname(file), name));
    expect(read(file).watchedFiles).toEqual(named);
  });

  it("are exchanged without a restart, and no change shows what is in them", () => {
    const file = writeFiles(yaml, files);
    const before = read(file).config;
    const other = { "idp.pem": newKey(), "ca.pem": "second", hook: "hook-secret-2" };
    for (const [name, text] of Object.entries(other)) writeFileSync(join(dirname(file), name), text);
    expect(configChanges(before, read(file).config)).toEqual([
      { key: "agents.jwt.publicKey", what: "changed", reload: true },
      { key: "records.webhook.secret", what: "changed", reload: true },
      { key: "records.webhook.ca", what: "changed", reload: true },
    ]);
  });

  it("give what they hold and nothing else that has changed in the configuration", () => {
    const file = writeFiles(yaml, files);
    const before = read(file).config;
    for (const [name, text] of Object.entries({ "idp.pem": newKey(), "ca.pem": "second" }))
      writeFileSync(join(dirname(file), name), text);
    writeFileSync(file, `${yaml.replace("issuer: a", "issuer: z")}\nlog: { level: debug }`);
    const loaded = read(file).config;
    const next = rereadFiles(before, loaded);
    expect(configChanges(before, next).map(({ key }) => key)).toEqual([
      "agents.jwt.publicKey",
      "records.webhook.ca",
    ]);
    expect(next.agents.jwt?.publicKey).toBe(loaded.agents.jwt?.publicKey);
  });

  it("do not make a key of another kind of the one in force", () => {
    const before = read(writeFiles(jwt("publicKeyFile: idp.pem"), files)).config;
    const secret = read(writeFiles(jwt("secretFile: shared"), { shared: "s".repeat(32) })).config;
    expect(configChanges(before, rereadFiles(before, secret))).toEqual([]);
    expect(configChanges(before, secret)).toContainEqual(expect.objectContaining({ reload: false }));
  });
});
