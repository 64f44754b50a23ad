import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { loadConfig, type Config, type ConfigFault, type ConfigResult } from "../../src/config/index.ts";

/** A file with everything that must be there and nothing else. */
export const minimal = `
http: { host: 127.0.0.1 }
websocket: { origins: ["https://wwe.example.com"] }
sip: { advertisedAddress: 192.0.2.20 }
media: { advertisedAddress: 203.0.113.10 }
agents: { accounts: [ { dn: "5001", password: "correct horse" } ] }
sipServer: { addresses: ["192.0.2.10:5060"] }
`;

/** Writes files into a new directory that goes away with the test; gives the path of `jackfield.yaml`. */
export function writeFiles(yaml: string, others: Readonly<Record<string, string>> = {}): string {
  const directory = mkdtempSync(join(tmpdir(), "jackfield-config-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  for (const [name, text] of Object.entries({ ...others, "jackfield.yaml": yaml }))
    writeFileSync(join(directory, name), text);
  return join(directory, "jackfield.yaml");
}

export function load(
  yaml: string,
  {
    env = {},
    files = {},
    cores = 4,
  }: {
    env?: Record<string, string>;
    files?: Record<string, string>;
    cores?: number;
  } = {},
): ConfigResult {
  return loadConfig({ file: writeFiles(yaml, files), env, cores });
}

/** The configuration of a load that must succeed. */
export function configOf(...args: Parameters<typeof load>): Config {
  const result = load(...args);
  if (!result.ok) throw new Error(result.faults.map(({ key, reason }) => `${key} ${reason}`).join("\n"));
  return result.config;
}

/** The faults of a load that must fail. */
export function faultsOf(...args: Parameters<typeof load>): readonly ConfigFault[] {
  const result = load(...args);
  if (result.ok) throw new Error("the configuration was taken");
  return result.faults;
}

/** `key reason` of each fault. */
export function told(...args: Parameters<typeof load>): string[] {
  return faultsOf(...args).map(({ key, reason }) => `${key} ${reason}`);
}

/** `key reason` of each warning. */
export function warned(...args: Parameters<typeof load>): string[] {
  return load(...args).warnings.map(({ key, reason }) => `${key} ${reason}`);
}
