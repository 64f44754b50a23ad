import { copyFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { browserSdp } from "../support/descriptions.ts";
import { TestAgent, type TestCall } from "../support/test-agent.ts";
import { openTestSandbox, testOrigin } from "../support/test-gateway.ts";
import { temporaryFolder, writeCertificate } from "../ws/support.ts";
import { until } from "./support/rtp-phone.ts";
import { StartedGateway, writeConfig, type LogLine } from "./support/started.ts";

const token = "4b".repeat(16);
const scratch = temporaryFolder();
let sandbox: Sandbox;
let plain: StartedGateway;
let agent: TestAgent;
let call: TestCall;
const server = (): string => `127.0.0.1:${sandbox.port}`;
const base = {
  admin: { token },
  agents: { accounts: [{ dn: "5001", passwordFile: "secrets/5001" }], ranges: [] },
};
let folder = "";

/** A secret as Kubernetes mounts it: behind a link that is turned. */
function mount(version: string, password: string): void {
  const secrets = join(folder, "secrets");
  mkdirSync(join(secrets, version), { recursive: true });
  writeFileSync(join(secrets, version, "5001"), password);
  symlinkSync(version, join(secrets, "..new"));
  renameSync(join(secrets, "..new"), join(secrets, "..data"));
}

beforeAll(async () => {
  sandbox = await openTestSandbox();
  folder = scratch.path;
  mount("..1", "first secret");
  symlinkSync("..data/5001", join(folder, "secrets", "5001"));
  const password = join(folder, "secrets", "5001");
  base.agents.accounts = [{ dn: "5001", passwordFile: password }];
  plain = await StartedGateway.start(server(), base);
  const url = `ws://127.0.0.1:${plain.httpPort}/ws`;
  agent = await TestAgent.signIn({ url, dn: "5001", password: "first secret" });
  await until("DN in service", () => sandbox.bindings().length === 1);
  call = agent.call("9196", browserSdp());
  await call.when("answered");
});
afterAll(async () => {
  agent.close();
  await plain.end();
  await sandbox.close();
  scratch.remove();
});

/** What every reload leaves as it is. */
function expectUntouched(): void {
  expect(agent.flow?.open).toBe(true);
  expect(call.told).not.toContain("ended");
  expect(sandbox.calls()).toHaveLength(1);
}

async function hup(sections: Readonly<Record<string, object>>, outcome: string): Promise<unknown[]> {
  writeConfig(plain.folder, server(), sections);
  return await hupNow(outcome);
}
async function hupNow(outcome: string): Promise<unknown[]> {
  const from = plain.lines.length;
  plain.signal("SIGHUP");
  const bySignal = (): LogLine[] => plain.lines.slice(from).filter(({ by }) => by === "SIGHUP");
  await until(outcome, () => bySignal().some(({ msg }) => msg === outcome), 50_000);
  return bySignal().map(({ msg, key, what }) => [msg, key, what].filter((part) => part !== undefined));
}
const refused = "reload refused: nothing was changed";
const api = async (): Promise<{ status: number; body: unknown }> =>
  await plain.get("/api/reload", {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: "{}",
  });

describe("SIGHUP", () => {
  it("puts a changed file in force, one log line a key", async () => {
    const lines = await hup(
      { ...base, log: { level: "debug" }, shutdown: { drainSeconds: 7 } },
      "configuration reloaded",
    );
    expect(lines).toContainEqual(["configuration changed", "log.level", '"info" -> "debug"']);
    expect(lines).toContainEqual(["configuration changed", "shutdown.drainSeconds", "300 -> 7"]);
    expectUntouched();
  });

  it("refuses the whole of a change that needs a restart in part", async () => {
    const lines = await hup({ ...base, shutdown: { drainSeconds: 9 }, trace: { calls: 3 } }, refused);
    expect(lines).toContainEqual(["a change of this key needs a restart", "trace.calls", "500 -> 3"]);
    // The level stayed debug as well.
    expect(await api()).toEqual({
      status: 409,
      body: {
        error: "changes of these keys need a restart; nothing was changed",
        faults: [{ key: "trace.calls", reason: "500 -> 3" }],
      },
    });
    const tried = await hup({ ...base, shutdown: { drainSeconds: 9 } }, "configuration reloaded");
    expect(tried).toContainEqual(["configuration changed", "shutdown.drainSeconds", "7 -> 9"]);
    expectUntouched();
  });

  it("tells all faults of a faulty file, and changes nothing", async () => {
    const faulty = { ...base, log: { level: "loud" }, shutdown: { drainSeconds: -1 } };
    const lines = await hup(faulty, refused);
    expect(lines).toContainEqual(["configuration is faulty", "log.level"]);
    expect(lines).toContainEqual(["configuration is faulty", "shutdown.drainSeconds"]);
    expect(await api()).toMatchObject({
      status: 409,
      body: { faults: [{ key: "shutdown.drainSeconds" }, { key: "log.level" }] },
    });
    rmSync(join(plain.folder, "jackfield.yaml"));
    expect(await hupNow(refused)).toContainEqual(["configuration is faulty", "file"]);
    expectUntouched();
  });
});

describe("POST /api/reload", () => {
  it("answers with what has changed, and stands in the audit", async () => {
    writeConfig(plain.folder, server(), { ...base, shutdown: { drainSeconds: 11 } });
    const from = plain.lines.length;
    expect(await api()).toEqual({
      status: 200,
      body: { changes: [{ key: "shutdown.drainSeconds", change: "9 -> 11" }] },
    });
    const act = await plain.line("act of an administrator", from);
    expect(act).toMatchObject({ audit: true, act: "reload", outcome: "done" });
    expectUntouched();
  });
});

describe("a file with an account's password", () => {
  it("is read again when its link is turned, and nothing else is", async () => {
    // What else has changed in the file waits for its own reload.
    writeConfig(plain.folder, server(), { ...base, shutdown: { drainSeconds: 99 } });
    const from = plain.lines.length;
    mount("..2", "second secret");
    rmSync(join(folder, "secrets", "..1"), { recursive: true });
    const byWatch = (): LogLine[] => plain.lines.slice(from).filter(({ by }) => by === "file watch");
    await until("reload by the watch", () => byWatch().some(({ msg }) => msg === "configuration reloaded"));
    const lines = byWatch();
    expect(lines.filter(({ msg }) => msg === "configuration changed")).toMatchObject([
      { by: "file watch", key: "agents.accounts", what: "1 changed: 5001" },
    ]);
    expect(JSON.stringify(lines)).not.toContain("second secret");
    expectUntouched();
    // Who is signed in by the former password is let in no more, once he asks.
    expect(await agent.register()).toBe(403);
    expectUntouched();
  });
});

describe("a gateway with TLS", () => {
  it("presents a new certificate, from other files too, and drops no connection for it", async () => {
    const [one, two, three] = ["one", "two", "three"].map((name) => {
      const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
      writeCertificate(files.cert, files.key, name);
      return files;
    });
    if (!one || !two || !three) throw new Error("no files");
    const secure = await StartedGateway.start(server(), { http: { host: "127.0.0.1", port: 0, tls: one } });
    try {
      const socket = new WebSocket(`wss://127.0.0.1:${secure.httpPort}/ws`, "sip", {
        origin: testOrigin,
        rejectUnauthorized: false,
      });
      await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
      expect(await subject(secure.httpPort)).toBe("one");
      // In place of the former files.
      copyFileSync(two.key, one.key);
      copyFileSync(two.cert, one.cert);
      await secure.line("certificate reloaded");
      expect(await subject(secure.httpPort)).toBe("two");
      // By other names.
      writeConfig(secure.folder, server(), { http: { host: "127.0.0.1", port: 0, tls: three } });
      secure.signal("SIGHUP");
      await secure.line("configuration reloaded");
      expect(await subject(secure.httpPort)).toBe("three");
      // A key that does not fit is refused, and what was there stays.
      writeConfig(secure.folder, server(), {
        http: { host: "127.0.0.1", port: 0, tls: { cert: three.cert, key: one.key } },
      });
      secure.signal("SIGHUP");
      await secure.line(refused);
      expect(await subject(secure.httpPort)).toBe("three");
      expect(socket.readyState).toBe(WebSocket.OPEN);
      socket.close();
    } finally {
      await secure.end();
    }
  });
});

async function subject(port: number): Promise<string> {
  const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false });
  await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
}
