import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { Gateway } from "../../../src/cli/index.ts";
import type { Sandbox } from "../../../src/sandbox/index.ts";
import { ask, keepingLog, TestPage, wweOrigin, type Answer, type PageBench } from "../../endpoint/support.ts";
import { RawPage } from "../../support/raw-register.ts";
import { openTestGateway, openTestSandbox } from "../../support/test-gateway.ts";

const adminToken = "0123456789abcdef0123456789abcdef";
const json = { "content-type": "application/json" };

/** Starts take seconds on a busy machine, so that all tests have one gateway. */
const startMs = 60_000;
let sandbox: Sandbox;
let gateway: Gateway;
let pages: RawPage[];
const log = keepingLog();

beforeAll(async () => {
  sandbox = await openTestSandbox();
  gateway = await openTestGateway({
    sipServer: `127.0.0.1:${sandbox.port}`,
    log,
    config: { admin: { token: adminToken }, endpoint: { enabled: true, origins: [wweOrigin] } },
  });
}, startMs);
afterAll(async () => {
  await gateway.close();
  await sandbox.close();
}, startMs);
beforeEach(() => void (pages = []));
afterEach(() => {
  for (const page of pages) page.close();
});

const api = async (
  path: string,
  body: unknown,
  headers: object = {},
): Promise<[number, Record<string, string>]> => {
  const all = { ...json, authorization: `Bearer ${adminToken}`, ...headers };
  const { status, text } = await ask(gateway.httpPort, "POST", path, all, JSON.stringify(body));
  return [status, JSON.parse(text) as Record<string, string>];
};

const wwe = (method: string, path: string, body?: unknown): Promise<Answer> =>
  ask(
    gateway.httpPort,
    method,
    path,
    { origin: wweOrigin, ...json },
    body === undefined ? undefined : JSON.stringify(body),
  );

function pageBench(): PageBench {
  const port = gateway.httpPort;
  const headers = { origin: `http://127.0.0.1:${port}`, ...json };
  return { port, page: (path, body) => ask(port, "POST", path, headers, JSON.stringify(body)) };
}

const register = (dn: string): object => ({ addresses: [`127.0.0.1:${sandbox.port}`], users: [dn] });

/** Signs in with what a sign-in order brought. */
async function signIn(page: TestPage, at: number): Promise<RawPage> {
  const { order } = await page.event(at);
  if (order.order !== "sign-in") throw new Error(order.order);
  const opened = await RawPage.open(gateway.httpPort);
  pages.push(opened);
  expect((await opened.register(order.credentials)).status).toBe(200);
  await page.result(at, true);
  return opened;
}

/** Asks again until the DN is active, as WWE does. */
async function untilActive(base: string, active: boolean): Promise<void> {
  const expected = `{"get_IsEndpointActiveResult":${active}}`;
  while ((await wwe("GET", `${base}/GetIsEndpointActive`)).text !== expected)
    await new Promise((resolve) => setImmediate(resolve));
}

it("an agent's WWE signs the DN in by the page, at SIP Server, and out again", async () => {
  const [status, issued] = await api("/api/endpoint/tokens", { dn: "5011" });
  expect(status).toBe(200);
  const base = `/endpoint/${issued["token"]}`;
  expect(issued).toMatchObject({ path: `${base}/`, page: `/#endpoint=${issued["token"]}` });
  const page = await TestPage.open(pageBench(), issued["token"] ?? "");
  expect((await wwe("GET", `${base}/GetDnSIP`)).text).toBe('{"get_DnSIPResult":""}');
  expect((await wwe("POST", `${base}/RegisterDn/`, register("5011"))).text).toBe('{"RegisterDnResult":true}');
  await signIn(page, 0);
  await untilActive(base, true);
  expect(gateway.trunkRegistrations.status("5011").state).toBe("in-service");
  expect((await wwe("GET", `${base}/GetDnSIP`)).text).toBe('{"get_DnSIPResult":"5011"}');
  await wwe("POST", `${base}/UnregisterDn`, {});
  expect((await page.event(1)).order.order).toBe("sign-out");
  await page.result(1, false, "cannot");
  while (gateway.registrar.find("5011")) await new Promise((resolve) => setImmediate(resolve));
  await untilActive(base, false);
});

it("a DN that SIP Server does not know never becomes active", async () => {
  const [, { token = "" }] = await api("/api/endpoint/tokens", { dn: "5500" });
  const page = await TestPage.open(pageBench(), token);
  await wwe("POST", `/endpoint/${token}/RegisterDn/`, register("5500"));
  await signIn(page, 0);
  while (gateway.trunkRegistrations.status("5500").state !== "rejected")
    await new Promise((resolve) => setImmediate(resolve));
  const { text } = await wwe("GET", `/endpoint/${token}/GetSIPEndpointParameters`);
  expect(text).toContain("EndpointStatus_NotReady");
});

it("the bridge: a code, a token, a page token for the browser", async () => {
  const [, { code = "", expires_at: expires = "" }] = await api("/api/endpoint/codes", { dn: "5012" });
  expect(Date.parse(expires)).toBeGreaterThan(Date.now());
  const [enrolled, { token = "", dn }] = await api("/endpoint/enrol", { code });
  expect([enrolled, dn]).toEqual([200, "5012"]);
  const [, { token: pageToken = "", url }] = await api(`/endpoint/${token}/page-token`, {});
  expect(url).toBe(`http://127.0.0.1:${gateway.httpPort}/#endpoint=${pageToken}`);
  const statusOf = async () => (await ask(gateway.httpPort, "GET", `/endpoint/${token}/status`, {})).text;
  expect(await statusOf()).toBe('{"in_service":false,"page_connected":false,"wanted":false,"in_call":false}');
  const page = await TestPage.open(pageBench(), pageToken);
  expect(await statusOf()).toBe('{"in_service":false,"page_connected":true,"wanted":false,"in_call":false}');
  page.close();
});

it("a reload that revokes a token ends its page and WWE's requests at once", async () => {
  const [, { token = "", id = "" }] = await api("/api/endpoint/tokens", { dn: "5013" });
  const page = await TestPage.open(pageBench(), token);
  const before = gateway.live.current;
  gateway.live.replace({ ...before, endpoint: { ...before.endpoint, revokedTokens: [id] } });
  await page.ended;
  expect((await wwe("GET", `/endpoint/${token}/Ping`)).status).toBe(401);
  gateway.live.replace(before);
  expect((await wwe("GET", `/endpoint/${token}/Ping`)).status).toBe(200);
});

it("tokens are issued to who may operate, for DNs that may sign in, and each is audited", async () => {
  expect(
    (
      await api("/api/endpoint/tokens", { dn: "5011" }, { authorization: "Bearer wrong-wrong-wrong-wrong" })
    )[0],
  ).toBe(401);
  expect((await api("/api/endpoint/tokens", { dn: "7000" }))[0]).toBe(404);
  expect((await api("/api/endpoint/codes", { dn: 5011 }))[0]).toBe(400);
  expect((await api("/api/endpoint/codes", {}, { "content-type": "text/plain" }))[0]).toBe(415);
  const headers = { authorization: `Bearer ${adminToken}` };
  const { text } = await ask(gateway.httpPort, "GET", "/api/endpoint/sessions", headers);
  const { sessions } = JSON.parse(text) as { sessions: { dn: string; state: string }[] };
  const audited = log.lines.filter(({ details }) => "audit" in details);
  expect(audited.map(({ details }) => details)).toContainEqual(
    expect.objectContaining({ act: "issue endpoint token", target: "7000", who: "token" }),
  );
  expect(audited.length).toBeGreaterThan(4);
  expect(sessions.find(({ dn }) => dn === "5500")).toMatchObject({ state: "wanted", page: false });
});

it("what is refused and how many are active is told to Prometheus", async () => {
  await ask(gateway.httpPort, "GET", "/endpoint/x.y/Ping", { host: "evil.example" });
  const headers = { authorization: `Bearer ${adminToken}` };
  const { text } = await ask(gateway.httpPort, "GET", "/metrics", headers);
  expect(text).toMatch(/^jackfield_endpoint_refused_total\{reason="host"\} [1-9]/m);
  expect(text).toMatch(/^jackfield_endpoint_sessions\{state="wanted"\} \d/m);
});

it(
  "there is nothing at /endpoint/ unless it is switched on",
  async () => {
    const other = await openTestGateway({
      sipServer: `127.0.0.1:${sandbox.port}`,
      config: { admin: { token: adminToken } },
    });
    try {
      expect((await ask(other.httpPort, "POST", "/endpoint/enrol", json, "{}")).status).toBe(404);
    } finally {
      await other.close();
    }
  },
  startMs,
);
