import { request } from "node:https";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { BridgeView } from "../../src/bridge/state.ts";
import type { Gateway } from "../../src/cli/index.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { BridgeProgram } from "../support/bridge-program.ts";
import { ChromeRequests } from "../support/chrome-requests.ts";
import { FakeWwe } from "../support/fake-wwe.ts";
import { freeTcpPort } from "../support/free-port.ts";
import { TestAgent } from "../support/test-agent.ts";
import { openTestGateway, openTestSandbox, testPassword } from "../support/test-gateway.ts";
import { until } from "./support/rtp-phone.ts";

/** The bridge as a process of its own, between a WWE and a real gateway. */

const adminToken = "0123456789abcdef0123456789abcdef";
const origins = ["http://wwe.test:8090", "https://wwe.test"] as const;
const dn = "5001";

let sandbox: Sandbox;
let gateway: Gateway;
let gatewayPort: number;
let bridge: BridgeProgram;

beforeAll(async () => {
  sandbox = await openTestSandbox();
  gatewayPort = await freeTcpPort();
  gateway = await openGateway();
  bridge = new BridgeProgram({ port: await freeTcpPort(), window: "never" });
});
afterAll(async () => {
  await bridge.end();
  await gateway.close();
  await sandbox.close();
});

function openGateway(): Promise<Gateway> {
  return openTestGateway({
    sipServer: `127.0.0.1:${sandbox.port}`,
    config: {
      http: { port: gatewayPort },
      admin: { token: adminToken },
      endpoint: { enabled: true, origins },
    },
  });
}

const gatewayUrl = (): string => `http://127.0.0.1:${gatewayPort}`;
const inService = (): boolean => gateway.trunkRegistrations.status(dn).state === "in-service";

async function code(): Promise<string> {
  const answer = await fetch(`${gatewayUrl()}/api/endpoint/codes`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    body: JSON.stringify({ dn }),
  });
  const { code: issued } = (await answer.json()) as { code: string };
  return issued;
}

/** Signs in with the DN as the page with the sound would. */
async function openPage(): Promise<TestAgent> {
  return await TestAgent.signIn({ url: `ws://127.0.0.1:${gatewayPort}/ws`, dn, password: testPassword(dn) });
}

function openWwe(origin: string): { wwe: FakeWwe; chrome: ChromeRequests } {
  const chrome = new ChromeRequests({ origin, privateNetwork: true, ca: bridge.authority });
  const addresses = [`127.0.0.1:${sandbox.port}`];
  const base = bridge.address;
  return { chrome, wwe: new FakeWwe({ base, transport: chrome, addresses, users: [dn], inService }) };
}

/** What the dashboard is told first. */
function view(): Promise<{ readonly view: BridgeView; readonly log: readonly object[] }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      `${bridge.address}/dashboard/events`,
      { ca: bridge.authority, agent: false },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => {
          text += chunk.toString();
          if (!text.includes("\n\n")) return;
          resolve(JSON.parse(text.slice("data: ".length)) as Awaited<ReturnType<typeof view>>);
          asked.destroy();
        });
        response.on("error", () => {});
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}

it("is enrolled by a code, once, and checked before it is started", async () => {
  const typed = (await code()).toLowerCase().replaceAll("-", " ");
  const enrolled = await bridge.run("enrol", typed, "--gateway", gatewayUrl());
  expect(enrolled.stderr).toBe("");
  expect(enrolled.stdout).toContain(`Enrolled for DN ${dn} at ${gatewayUrl()}`);
  expect(enrolled.code).toBe(0);
  const [again, before] = await Promise.all([
    bridge.run("enrol", typed, "--gateway", gatewayUrl()),
    bridge.run("--check"),
  ]);
  expect(again).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("wrong, used or expired") as string,
  });
  expect(before.stdout).toMatch(/gateway: http:\S+ answers, DN 5001/);
  expect(before.stdout).toContain("FAIL      certificate: none yet; jackfield bridge trust");
  expect(before.code).toBe(1);
  expect((await bridge.run("trust")).code).toBe(0);
  const after = await bridge.run("--check");
  expect(after.stdout).toMatch(/ok {8}certificate: until \S+, 7\d\d days left\nok {8}trust: \S+nssdb\n/);
  expect(after.code).toBe(0);
});

it.each(origins)("WWE at %s signs in by it, and is told what SIP Server says", async (origin) => {
  if (bridge.pid === undefined) await bridge.start();
  const { wwe, chrome } = openWwe(origin);
  const login = wwe.login();
  await until("RegisterDn", () => wwe.exchanges.some(({ path }) => path === "/RegisterDn/"));
  await until("not active yet", () => wwe.exchanges.some(({ text }) => text.includes('ActiveResult":false')));
  const page = await openPage();
  expect(await login).toBe("active");
  await wwe.pinged(1);
  expect((await view()).view).toMatchObject({
    gateway: { reachable: true, enrolled: true, dn },
    inService: true,
    wwe: { origin, lastRequest: "Ping" },
  });
  await wwe.logout();
  expect(wwe.faults).toEqual([]);
  expect(chrome.preflights).toBeGreaterThan(5);
  page.close();
  await until("the DN is signed out", () => !inService());
});

it("tells WWE that the DN is not in service while the gateway is away, and finds it again", async () => {
  const { chrome } = openWwe(origins[1]);
  const ask = (path: string) => chrome.request("GET", `${bridge.address}${path}`);
  expect(await ask("/Ping")).toEqual({ status: 200, text: '{"PingResult":[]}' });
  await gateway.close();
  expect(await ask("/GetIsEndpointActive")).toEqual({
    status: 200,
    text: '{"get_IsEndpointActiveResult":false}',
  });
  expect((await ask("/Ping")).status).toBe(503);
  expect((await view()).view.gateway).toMatchObject({
    reachable: false,
    problem: expect.stringContaining("nothing listens at the gateway's address") as string,
  });
  gateway = await openGateway();
  expect((await ask("/Ping")).status).toBe(200);
});

it("restarts at the dashboard's button, in the same process and with the settings as they are now", async () => {
  const { pid } = bridge;
  const dashboard = (
    path: string,
    init?: { readonly method: string; readonly headers: Record<string, string> },
  ) =>
    new Promise<string>((resolve, reject) => {
      const asked = request(`${bridge.address}${path}`, { ca: bridge.authority, ...init }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => resolve(text));
      });
      asked.on("error", reject);
      asked.end(init ? '{"act":"restart"}' : undefined);
    });
  const token = /page-token" content="(\w+)"/.exec(await dashboard("/dashboard"))?.[1] ?? "";
  const headers = { origin: bridge.address, "content-type": "application/json", "x-page-token": token };
  bridge.set({ port: 70_000 });
  expect(await dashboard("/dashboard/act", { method: "POST", headers })).toContain(
    "port 70000 is out of range",
  );
  bridge.set({ port: bridge.port, gateway: { ca: "/nowhere/ca.pem" } });
  expect(await dashboard("/dashboard/act", { method: "POST", headers })).toMatch(/gateway\.ca: ENOENT/);
  bridge.set({ port: bridge.port, window: "never", log: { level: "debug" } });
  expect(await dashboard("/dashboard/act", { method: "POST", headers })).toContain("begins anew");
  await until("it listens anew", () => bridge.starts === 2);
  expect(bridge.pid).toBe(pid);
  expect((await view()).view.gateway.enrolled).toBe(true);
});

it("ends at SIGTERM, and no token is in what it leaves behind but the store", async () => {
  const { log } = bridge;
  expect(log).toContain("WWE registers the DN");
  expect(log).not.toMatch(/endpoint\/|[\w-]{20,}\.[\w-]{20,}/);
  expect(await bridge.stop()).toBe(0);
});

it("names what is wrong with its settings and its port, and does not start", async () => {
  bridge.set({ port: 70_000 });
  const faulty = await bridge.run();
  expect(faulty).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("port 70000 is out of range") as string,
  });
  bridge.set({ port: gatewayPort });
  expect(await bridge.run()).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("EADDRINUSE") as string,
  });
});
