import { afterEach, beforeEach, expect, it } from "vitest";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { ask, TestPage, wweOrigin, type PageBench } from "../endpoint/support.ts";
import { browserSdp } from "../support/descriptions.ts";
import { freeTcpPort } from "../support/free-port.ts";
import { TestAgent } from "../support/test-agent.ts";
import { openTestSandbox } from "../support/test-gateway.ts";
import { until } from "./support/rtp-phone.ts";
import { StartedGateway } from "./support/started.ts";

const adminToken = "0123456789abcdef0123456789abcdef";
const json = { "content-type": "application/json" };
let sandbox: Sandbox;
let port: number;
let gateway: StartedGateway;
const agents: TestAgent[] = [];

beforeEach(async () => {
  sandbox = await openTestSandbox();
  port = await freeTcpPort();
});
afterEach(async () => {
  for (const agent of agents.splice(0)) agent.close();
  await gateway.end();
  await sandbox.close();
});

/** On the same port each time, with the same secret. */
async function start(): Promise<void> {
  gateway = await StartedGateway.start(`127.0.0.1:${sandbox.port}`, {
    http: { host: "127.0.0.1", port },
    shutdown: { drainSeconds: 30 },
    admin: { token: adminToken },
    endpoint: { enabled: true, origins: [wweOrigin] },
  });
}

async function tokenFor(dn: string): Promise<string> {
  const headers = { ...json, authorization: `Bearer ${adminToken}` };
  const { text } = await ask(port, "POST", "/api/endpoint/tokens", headers, JSON.stringify({ dn }));
  return (JSON.parse(text) as { token: string }).token;
}

function pageBench(): PageBench {
  const headers = { origin: `http://127.0.0.1:${port}`, ...json };
  return { port, page: (path, body) => ask(port, "POST", path, headers, JSON.stringify(body)) };
}

/** The page's telephone. */
async function signIn(dn: string): Promise<TestAgent> {
  const url = `ws://127.0.0.1:${port}/ws`;
  const agent = await TestAgent.signIn({ url, dn, allowEvents: "x-jackfield-trunk" });
  agents.push(agent);
  await agent.whenEvent("x-jackfield-trunk", '"in-service"');
  return agent;
}

it("SIGTERM with a call of WWE's page: it goes on, WWE hears so, and after the restart pings bring the DN back", async () => {
  await start();
  const token = await tokenFor("5001");
  const wwe = async (method: string, name: string, body?: object): Promise<string> => {
    const headers = { origin: wweOrigin, ...json };
    const text = body && JSON.stringify(body);
    return (await ask(port, method, `/endpoint/${token}/${name}`, headers, text)).text;
  };
  const active = async (): Promise<boolean> => (await wwe("GET", "GetIsEndpointActive")).includes("true");
  const register = { addresses: [`127.0.0.1:${sandbox.port}`], users: ["5001"] };

  const page = await TestPage.open(pageBench(), token);
  await wwe("POST", "RegisterDn", register);
  expect((await page.event(0)).order.order).toBe("sign-in");
  const agent = await signIn("5001");
  await page.result(0, true);
  expect(await active()).toBe(true);
  const call = agent.call("9196", browserSdp());
  await call.when("answered");

  gateway.signal("SIGTERM");
  await gateway.line("draining, then closing");
  expect(await wwe("GET", "Ping")).toBe('{"PingResult":[]}');
  expect(await active()).toBe(true);
  expect(sandbox.calls()).toHaveLength(1);
  expect(call.told).not.toContain("ended");

  call.hangUp();
  await agent.flow?.closed;
  expect(agent.flow?.closeCode).toBe(1012);
  expect(sandbox.bindings()).toEqual([]);
  await page.ended;
  expect(await gateway.exited()).toBe(0);
  await gateway.end();

  await start();
  await page.connect();
  expect(await active()).toBe(false);
  // WWE goes on pinging, and sends RegisterDn no more.
  expect(await wwe("GET", "Ping")).toBe('{"PingResult":[]}');
  expect((await page.event(1)).order.order).toBe("sign-in");
  await signIn("5001");
  await page.result(1, true);
  await until("the DN in service", () => sandbox.bindings().length === 1);
  expect(await active()).toBe(true);
  expect(await wwe("POST", "RegisterDn", register)).toBe('{"RegisterDnResult":true}');
  expect(page.events).toHaveLength(2);
});
