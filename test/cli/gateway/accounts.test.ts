import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, SignJWT } from "jose";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Gateway } from "../../../src/cli/index.ts";
import { systemClock } from "../../../src/core/index.ts";
import type { Sandbox } from "../../../src/sandbox/index.ts";
import { JsonServer } from "../../support/json-server.ts";
import { ha1Of, RawPage, type Credentials } from "../../support/raw-register.ts";
import { openTestGateway, openTestSandbox } from "../../support/test-gateway.ts";

const token = "0123456789abcdef0123456789abcdef";
const json = { "content-type": "application/json" };
const bearer = { ...json, authorization: `Bearer ${token}` };
const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const line = (dn: string, password: string): string => `${dn}:jackfield:${ha1Of(dn, password)}`;

/** Starts take seconds on a busy machine, so that all tests have one gateway. */
const startMs = 60_000;
let sandbox: Sandbox;
let folder: string;
let idp: JsonServer;
let directory: JsonServer;
let gateway: Gateway;
let pages: RawPage[];
/** By how much the gateway's clock is ahead, ms. */
let ahead = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "jackfield-accounts-"));
  writeFileSync(join(folder, "agents"), `# agents\r\n${line("5001", "one")}\r\n5002:two\r\n`);
  const keys = [{ ...(await exportJWK(pair.publicKey)), kid: "one" }];
  idp = await JsonServer.open(() => ({ json: { keys } }));
  directory = await JsonServer.open();
  sandbox = await openTestSandbox();
  gateway = await openTestGateway({
    sipServer: `127.0.0.1:${sandbox.port}`,
    clock: { ...systemClock, now: () => systemClock.now() + ahead },
    config: {
      admin: { token },
      agents: {
        accountsFile: join(folder, "agents"),
        ranges: [{ from: "6001", to: "6009" }],
        jwt: { issuer: "https://idp.test/", audience: "jackfield", jwksUrl: idp.url },
        lookup: { url: `${directory.url}/agents/{dn}` },
        loginLimits: { perAccount: 3 },
      },
    },
  });
}, startMs);
afterAll(async () => {
  await gateway.close();
  await Promise.all([sandbox.close(), idp.close(), directory.close()]);
  rmSync(folder, { recursive: true });
}, startMs);
beforeEach(() => {
  pages = [];
  directory.requests.length = 0;
  directory.reply = ({ path }) =>
    path === "/agents/7001"
      ? { json: { ha1: ha1Of("7001", "seven"), display_name: "Sue", trunk_password: "t" } }
      : { status: 404 };
});
afterEach(async () => {
  for (const opened of pages) opened.close();
  await until(() => gateway.counts.connections === 0);
  // Who was lost is waited for; not by the next test.
  for (const { dn } of gateway.registrar.list()) gateway.registrar.signOut(dn, "test");
  await ask("DELETE", "/api/bans", {});
});

async function page(): Promise<RawPage> {
  const opened = await RawPage.open(gateway.httpPort);
  pages.push(opened);
  return opened;
}

const signIn = async (credentials: Credentials): Promise<number> =>
  (await (await page()).register(credentials)).status;

async function ask(method: string, path: string, body?: object, headers: object = bearer): Promise<Response> {
  const init = { method, headers: { ...headers }, ...(body ? { body: JSON.stringify(body) } : {}) };
  return fetch(`http://127.0.0.1:${gateway.httpPort}${path}`, init);
}

async function exchange(given: string) {
  const response = await ask("POST", "/api/sign-in", { token: given }, json);
  const body = (await response.json()) as { user: string; ha1: string; reason: string };
  return { status: response.status, ...body };
}

/** Until it is so; the test's own time limit ends it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

test("the accounts file signs in by hash; a change holds at once, for who is signed in at his next REGISTER", async () => {
  const first = await page();
  expect((await first.register({ dn: "5001", ha1: ha1Of("5001", "one") })).status).toBe(200);
  expect(await signIn({ dn: "5002", ha1: ha1Of("5002", "two") })).toBe(200);
  expect(await signIn({ dn: "5003", ha1: ha1Of("5003", "three") })).toBe(403);
  writeFileSync(join(folder, "new"), `${line("5001", "new")}\n${line("5003", "three")}\n`);
  renameSync(join(folder, "new"), join(folder, "agents"));
  await until(() => gateway.config.agents.fileAccounts[1]?.dn === "5003");
  expect(await signIn({ dn: "5003", ha1: ha1Of("5003", "three") })).toBe(200);
  expect(await signIn({ dn: "5002", ha1: ha1Of("5002", "two") })).toBe(403);
  expect([first.open, gateway.registrar.find("5001")?.reachable]).toEqual([true, true]);
  expect((await first.register({ dn: "5001", ha1: ha1Of("5001", "one") })).status).toBe(403);
  expect((await first.register({ dn: "5001", ha1: ha1Of("5001", "new") })).status).toBe(200);
});

test("a JWT signs its DN in, which needs no password; for another one it opens nothing", async () => {
  const made = (dn: string): Promise<string> =>
    new SignJWT({ iss: "https://idp.test/", aud: "jackfield", dn })
      .setProtectedHeader({ alg: "RS256", kid: "one" })
      .setExpirationTime("1m")
      .sign(pair.privateKey);
  const { status, user, ha1 } = await exchange(await made("6001"));
  expect([status, user]).toEqual([200, expect.stringMatching(/^6001;exp=\d+;id=/)]);
  expect(await signIn({ dn: "6001", user, ha1 })).toBe(200);
  expect(await signIn({ dn: "6002", user, ha1 })).toBe(403);
  expect(await signIn({ dn: "6002", ha1: ha1Of("6002", "") })).toBe(403);
  expect(await exchange(await made("9999"))).toMatchObject({ status: 401, reason: "unknown-dn" });
  expect(await exchange(`${await made("6001")}x`)).toMatchObject({ status: 401, reason: "wrong" });
  expect(await exchange(await made("7001"))).toMatchObject({ status: 200 });
});

test("an agent of the directory signs in by hash and by token, and again while the directory is down", async () => {
  const ha1 = ha1Of("7001", "seven");
  expect(await signIn({ dn: "7001", ha1 })).toBe(200);
  const issued = (await (await ask("POST", "/api/tokens", { dn: "7001" })).json()) as { token: string };
  const session = await exchange(issued.token);
  expect(await signIn({ dn: "7001", user: session.user, ha1: session.ha1 })).toBe(200);
  directory.reply = () => ({ status: 500 });
  ahead += 300_000;
  expect(await signIn({ dn: "7001", ha1 })).toBe(200);
  const refused = await (await page()).register({ dn: "7002", ha1 });
  expect([refused.status, refused.text]).toEqual([503, expect.stringContaining("Retry-After: 5")]);
  expect((await ask("POST", "/api/tokens", { dn: "7003" })).status).toBe(503);
  ahead += 5000;
});

test("the directory is waited for; who hangs up meanwhile leaves nothing behind", async () => {
  const { promise, resolve } = Promise.withResolvers<{ json: object }>();
  directory.reply = () => promise;
  const impatient = await page();
  void impatient.register({ dn: "7005", ha1: ha1Of("7005", "five") });
  const patient = (await page()).register({ dn: "7005", ha1: ha1Of("7005", "five") });
  await until(() => gateway.counts.connections === 2 && directory.requests.length === 1);
  await until(() => [...pages].every(({ asked }) => asked === 2));
  impatient.close();
  await until(() => gateway.counts.connections === 1);
  expect(await signIn({ dn: "5003", ha1: ha1Of("5003", "three") })).toBe(200);
  resolve({ json: { ha1: ha1Of("7005", "five") } });
  expect((await patient).status).toBe(200);
  expect(
    gateway.registrar
      .list()
      .map(({ dn }) => dn)
      .sort(),
  ).toEqual(["5003", "7005"]);
  expect(directory.requests).toHaveLength(1);
});

test("who guesses is shut out, seen at the API, and let in when that is cleared", async () => {
  const wrong = { dn: "7002", ha1: ha1Of("7002", "no") };
  for (let count = 0; count < 3; count++) expect(await signIn(wrong)).toBe(403);
  expect(directory.requests).toHaveLength(1);
  const list = async () => (await (await ask("GET", "/api/bans")).json()) as { bans: object[] };
  expect(await list()).toMatchObject({ total: 1, bans: [{ address: "127.0.0.1", dn: "7002", failures: 3 }] });
  const before = gateway.registrar.counters.blockedLogins;
  const shut = await (await page()).register(wrong);
  expect([shut.status, shut.text]).toEqual([403, expect.stringContaining("Too Many Failed Logins")]);
  expect(gateway.registrar.counters.blockedLogins).toBe(before + 1);
  expect(await (await ask("DELETE", "/api/bans?dn=7002", {})).json()).toEqual({ lifted: 1 });
  expect(await list()).toEqual({ total: 0, bans: [] });
  expect((await (await page()).register(wrong)).text).not.toContain("Too Many");
});

test.each([
  [
    "a nonce that is made up",
    'Digest algorithm=MD5, username="DN", realm="jackfield", nonce="00", uri="sip:jackfield", response="00", qop=auth, cnonce="00", nc=00000001',
    401,
  ],
  ["another scheme", "Basic MTox", 401],
  ["half of what it takes", 'Digest realm="jackfield"', 400],
])(
  "who makes the directory be asked for DNs that are none by %s is shut out",
  async (_name, credentials, status) => {
    const opened = await page();
    for (let dn = 8000; dn < 8100; dn++)
      expect((await opened.registerWith(`${dn}`, credentials.replace("DN", `${dn}`))).status).toBe(status);
    expect((await opened.registerWith("8100", credentials)).status).toBe(403);
    expect(directory.requests).toHaveLength(100);
    expect(await signIn({ dn: "5003", ha1: ha1Of("5003", "three") })).toBe(200);
    ahead += 3_600_000;
  },
);
