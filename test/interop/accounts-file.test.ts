import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Gateway } from "../../src/cli/index.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { openTestGateway, openTestSandbox, testConfig } from "../support/test-gateway.ts";
import { temporaryFolder } from "../ws/support.ts";
import { until } from "./support/rtp-phone.ts";

const folder = temporaryFolder();
let sandbox: Sandbox;
let gateway: Gateway;

beforeAll(async () => {
  sandbox = await openTestSandbox();
  write("5001:one of these\n5002:two of these\n");
  const sipServer = `127.0.0.1:${sandbox.port}`;
  const config = {
    agents: { ranges: [], accountsFile: join(folder.path, "agents") },
    media: { rtpPorts: [24_700, 24_739] },
    sipServer: { registration: { mode: "all" } },
  };
  const source = { load: () => testConfig(sipServer, config), watchedFiles: [] };
  gateway = await openTestGateway({ sipServer, config, source });
});
afterAll(async () => {
  await gateway.close();
  await sandbox.close();
  folder.remove();
});

function write(text: string): void {
  writeFileSync(join(folder.path, "new"), text);
  renameSync(join(folder.path, "new"), join(folder.path, "agents"));
}

function registered(): string[] {
  return sandbox
    .bindings()
    .map(({ dn }) => dn)
    .toSorted();
}

it("where all DNs are registered, one added to the accounts file is from then on, and one taken out no more", async () => {
  await until("both", () => registered().length === 2);
  write("5002:two of these\n5003:three of these\n");
  await until("the new one, and the old one gone", () => registered().join(" ") === "5002 5003");
  expect(gateway.config.agents.fileAccounts.map(({ dn }) => dn)).toEqual(["5002", "5003"]);
});

it("a reload takes an emptied accounts file as little as the file's watch does", () => {
  write("");
  expect(gateway.reload("test")).toMatchObject({
    outcome: "faulty",
    faults: [{ key: "agents.accountsFile", reason: "holds no account" }],
  });
  expect(gateway.config.agents.fileAccounts).toHaveLength(2);
  write("5003:three of these\n");
  expect(gateway.reload("test")).toMatchObject({ outcome: "applied" });
  expect(gateway.config.agents.fileAccounts).toHaveLength(1);
});
