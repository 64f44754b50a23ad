import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Gateway } from "../../src/cli/index.ts";
import { createLogger } from "../../src/core/index.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { Receiver, until } from "../records/support/record-lab.ts";
import { BrowserDouble } from "../support/browser-double.ts";
import { openTestGateway, openTestSandbox, testPassword } from "../support/test-gateway.ts";

const token = "Kq7-a-token-of-the-tests-0123456789";
const secret = "Zx9-webhook-secret";
const directory = mkdtempSync(join(tmpdir(), "jackfield-records-"));
const schema = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../docs/call-record.schema.json"), "utf8"),
) as object;
const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
const lines: Record<string, unknown>[] = [];
let sandbox: Sandbox;
let gateway: Gateway;
let receiver: Receiver;
const written = (): Record<string, unknown>[] =>
  readFileSync(join(directory, "calls.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

async function api(method: string, path: string, body: object = {}): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const url = `http://127.0.0.1:${gateway.httpPort}${path}`;
  return (await fetch(url, { method, headers, body: JSON.stringify(body) })).status;
}

beforeAll(async () => {
  mkdirSync(join(directory, "queue"));
  sandbox = await openTestSandbox();
  receiver = new Receiver(undefined, afterAll);
  await receiver.listen();
  gateway = await openTestGateway({
    sipServer: `127.0.0.1:${sandbox.port}`,
    log: createLogger("info", { write: (line) => void lines.push(JSON.parse(line)) }),
    config: {
      admin: { token },
      records: {
        file: { path: join(directory, "calls.jsonl") },
        webhook: { url: receiver.url, secret, queueDirectory: join(directory, "queue") },
      },
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await sandbox.close();
  rmSync(directory, { recursive: true });
});

it("each call of a gateway has a record in the file and at the webhook, also one that its shutdown ends", async () => {
  expect(await api("PUT", "/api/log-level", { level: "debug" })).toBe(200);
  const url = `ws://127.0.0.1:${gateway.httpPort}/ws`;
  const options = { url, codec: "pcmu", allowEvents: "x-jackfield-trunk" } as const;
  const agents = await Promise.all(["5001", "5002"].map((dn) => BrowserDouble.signIn({ ...options, dn })));
  await Promise.all(agents.map((agent) => agent.trunkState("in-service")));
  const calls = await Promise.all(agents.map((agent) => agent.dial("9196")));
  await Promise.all(calls.map((call) => call.when("answered")));
  await Promise.all(calls.map((call) => call.connected));
  calls[0]?.hangUp();
  await until(() => receiver.taken.length === 1);
  expect(written()).toMatchObject([
    { dn: "5001", other_number: "9196", direction: "from_agent", ended_by: "agent", status: 200 },
  ]);
  // A reload that changes the levels is followed at once.
  const { current } = gateway.live;
  gateway.live.replace({ ...current, log: { ...current.log, level: "warn", rooms: { b2bua: "info" } } });
  const before = lines.length;

  await gateway.close();
  const records = written();
  expect(records).toMatchObject([{ dn: "5001" }, { dn: "5002", ended_by: "jackfield", status: 503 }]);
  expect(receiver.requests.map(({ body }) => JSON.parse(body) as object)).toEqual(
    records.map((one) => ({ records: [one] })),
  );
  for (const record of records) {
    validate(record);
    expect(validate.errors).toBeNull();
  }
  const after = lines.slice(before);
  expect(after.find(({ msg }) => msg === "call over")).toMatchObject({ dn: "5002", room: "b2bua" });
  expect(after.filter(({ room, level }) => room !== "b2bua" && Number(level) < 40)).toEqual([]);
  await Promise.all(agents.map((agent) => agent.close()));
});

it("the log of all that has no secret in it, at level debug", () => {
  expect(new Set(lines.map(({ room }) => room))).toEqual(
    new Set(["b2bua", "sip", "registrar", "media", "ws", "admin"]),
  );
  expect(lines.some(({ level }) => level === 20)).toBe(true);
  const all = JSON.stringify(lines);
  for (const one of [
    token,
    secret,
    testPassword("5001"),
    "not-to-be-logged",
    "a=ice-pwd",
    "inline:",
    "Digest ",
  ])
    expect(all).not.toContain(one);
});
