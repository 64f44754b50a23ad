import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLogger } from "../../src/core/index.ts";
import { FakeGateway, wwe } from "./support/fake-gateway.ts";
import { LocalTrust, openBridge, until, type OpenedBridge } from "./support/open-bridge.ts";

const trust = new LocalTrust();
afterAll(() => trust.authority.remove());

let gateway: FakeGateway;
let opened: OpenedBridge;

beforeEach(async () => {
  gateway = await new FakeGateway().listen();
  opened = await openBridge(trust, gateway.url);
});
afterEach(async () => {
  await opened.bridge.close();
  await gateway.close();
  expect(opened.clock.pendingTimers).toBe(0);
});

const json = { origin: wwe, "content-type": "application/json; charset=UTF-8" };
const post = (path: string, body: string, headers: Record<string, string> = json) =>
  opened.ask(path, { method: "POST", headers, body });
const get = (path: string, origin = wwe) => opened.ask(path, { headers: { ...json, origin } });

describe("WWE's requests", () => {
  it("are passed on under the agent's token, and the gateway's answers come back with CORS", async () => {
    const answer = await get("/Ping");
    expect(answer).toMatchObject({ status: 200, body: '{"PingResult":[]}' });
    expect(answer.headers["access-control-allow-origin"]).toBe(wwe);
    expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
    const registered = await post("/RegisterDn/", '{"addresses":["a:5060"],"users":["5001"]}');
    expect(registered.body).toBe('{"RegisterDnResult":true}');
    const [asked] = gateway.at("/RegisterDn/");
    expect(asked).toMatchObject({ method: "POST", body: '{"addresses":["a:5060"],"users":["5001"]}' });
    expect(asked?.headers["content-type"]).toBe("application/json; charset=UTF-8");
    expect(asked?.headers.origin).toBeUndefined();
  });

  it("go over connections that stay open", async () => {
    for (let ping = 0; ping < 5; ping++) await get("/Ping");
    expect(gateway.connections).toBe(1);
  });

  it("are preflighted by the bridge, private network and all", async () => {
    const answer = await opened.ask("/RegisterDn/", {
      method: "OPTIONS",
      headers: {
        origin: wwe,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
        "access-control-request-private-network": "true",
      },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      "access-control-allow-origin": wwe,
      "access-control-allow-methods": "GET, POST, OPTIONS",
      "access-control-allow-private-network": "true",
      "access-control-max-age": "7200",
      vary: "Origin",
    });
    expect(answer.headers["access-control-allow-headers"]?.toString().toLowerCase()).toContain(
      "content-type",
    );
    expect(gateway.at("/RegisterDn/")).toEqual([]);
  });

  it("are taken of pages that the gateway allows alone, who is asked once for each", async () => {
    expect((await get("/Ping")).status).toBe(200);
    expect((await get("/Ping")).status).toBe(200);
    for (let time = 0; time < 3; time++) {
      const refused = await get("/Ping", "https://evil.example");
      expect(refused.status).toBe(403);
      expect(refused.headers["access-control-allow-origin"]).toBeUndefined();
    }
    expect(gateway.at("/Ping").filter(({ method }) => method === "GET")).toHaveLength(2);
    expect(gateway.at("/Ping").filter(({ method }) => method === "OPTIONS")).toHaveLength(2);
  });

  it("are taken of the pages of the settings alone, where those name any", async () => {
    await opened.bridge.close();
    opened = await openBridge(trust, gateway.url, { origins: ["https://other.example"] });
    expect((await get("/Ping", "https://other.example")).status).toBe(200);
    expect((await get("/Ping")).status).toBe(403);
    expect(gateway.asked.filter(({ method }) => method === "OPTIONS")).toEqual([]);
  });

  it("make the gateway be asked about strangers no oftener than now and then", async () => {
    for (let page = 0; page < 30; page++) await get("/Ping", `https://evil${page}.example`);
    expect(gateway.at("/Ping")).toHaveLength(10);
  });

  it("are taken of a page that was allowed, whatever strangers ask meanwhile", async () => {
    expect((await get("/Ping")).status).toBe(200);
    const strangers = async (from: number, to: number): Promise<void> => {
      for (let page = from; page < to; page++) await get("/Ping", `https://evil${page}.example`);
    };
    // More than are remembered, some of them known to be refused.
    for (let second = 0; second < 60; second += 10) {
      await strangers(second, second + 10);
      opened.clock.advance(10_000);
    }
    opened.clock.advance(10 * 60_000);
    await strangers(100, 112);
    expect((await get("/Ping")).status).toBe(200);
    opened.clock.advance(10 * 60_000);
    await gateway.close();
    expect((await get("/Ping")).status).toBe(503);
  });

  it("are refused without an Origin, as an image or a program sends them", async () => {
    expect((await opened.ask("/Ping")).status).toBe(403);
    expect((await opened.ask("/Ping", { headers: { origin: "null" } })).status).toBe(403);
  });

  it("are refused under another name than this machine's (DNS rebinding)", async () => {
    for (const host of [
      "evil.example",
      "evil.example:8000",
      "127.0.0.1.evil.example",
      "localhost.evil.example",
    ])
      expect((await opened.ask("/Ping", { headers: { ...json, host } })).status).toBe(403);
    expect((await opened.ask("/Ping", { headers: { ...json, host: "localhost:8000" } })).status).toBe(200);
    expect(gateway.at("/Ping").filter(({ method }) => method === "GET")).toHaveLength(1);
  });

  it("have no effect unless they are what they claim to be", async () => {
    expect((await post("/RegisterDn/", "{}", { origin: wwe, "content-type": "text/plain" })).status).toBe(
      415,
    );
    expect((await post("/RegisterDn/", "{}", { origin: wwe })).status).toBe(415);
    expect((await post("/RegisterDn/", `"${"x".repeat(70_000)}"`)).status).toBe(413);
    expect((await opened.ask("/RegisterDn/", { method: "DELETE", headers: json })).status).toBe(405);
    expect(gateway.at("/RegisterDn/")).toEqual([]);
  });

  it("reach nothing of the gateway's but names", async () => {
    await get("/Ping");
    const { length } = gateway.asked;
    for (const path of [
      "/page-token",
      "/status",
      "/Status/",
      "/events",
      "/State",
      "/../enrol",
      "/a/b",
      "/%2e%2e/enrol",
      "//x",
      "/*",
    ])
      expect((await post(path, "{}")).status, path).toBe(404);
    expect(gateway.asked).toHaveLength(length);
  });

  it("pass on what the gateway says of names that nobody knows", async () => {
    expect((await get("/GetWeather")).status).toBe(404);
    expect(gateway.at("/GetWeather")).toHaveLength(1);
  });

  it("are seen: who, when, what the answers tell", async () => {
    await get("/GetIsEndpointActive");
    expect(opened.bridge.view).toMatchObject({
      inService: true,
      gateway: { reachable: true, enrolled: true, dn: "5001" },
      wwe: { origin: wwe, lastRequest: "GetIsEndpointActive" },
    });
    expect(opened.bridge.view.events.map(({ what }) => what)).toContain("the DN is in service");
  });
});

describe("while the gateway cannot be asked", () => {
  it.each([
    ["/GetDnSIP", 200, '{"get_DnSIPResult":""}'],
    ["/GetIsEndpointActive", 200, '{"get_IsEndpointActiveResult":false}'],
    ["/registerdn", 200, '{"RegisterDnResult":false}'],
    ["/Ping", 503, '{"error":"the gateway cannot be reached"}'],
    ["/constructor", 503, '{"error":"the gateway cannot be reached"}'],
  ])("WWE hears at %s %i", async (path, status, body) => {
    await get("/Ping");
    await gateway.close();
    const answer = await get(path);
    expect(answer).toMatchObject({ status, body });
    expect(answer.headers["access-control-allow-origin"]).toBe(wwe);
    expect(opened.bridge.view.gateway).toMatchObject({ reachable: false });
    expect(opened.bridge.view.gateway.problem).toMatch(/ECONNREFUSED|cut/);
  });

  it("GetSIPEndpointParameters tells that it is not ready, in WWE's form", async () => {
    await get("/Ping");
    await gateway.close();
    const { body } = await get("/GetSIPEndpointParameters");
    expect(body).toContain('{"Key":"EndpointStatus","Value":"EndpointStatus_NotReady"}');
  });

  it("no request waits for longer than eight seconds", async () => {
    await get("/Ping");
    gateway.answers.set("GET /GetIsEndpointActive", { instead: "hang" });
    const answer = get("/GetIsEndpointActive");
    await until(() => gateway.at("/GetIsEndpointActive").length === 1);
    opened.clock.advance(8000);
    expect((await answer).body).toBe('{"get_IsEndpointActiveResult":false}');
    expect(opened.bridge.view.gateway.problem).toBe("no answer within 8 s");
  });

  it("it is found again by the next request", async () => {
    await get("/Ping");
    const port = Number(new URL(gateway.url).port);
    await gateway.close();
    expect((await get("/Ping")).status).toBe(503);
    gateway = await new FakeGateway().listen(port);
    expect((await get("/Ping")).status).toBe(200);
    expect(opened.bridge.view.gateway).toMatchObject({ reachable: true, problem: undefined });
  });

  it("a proxy's 502 is no answer of its", async () => {
    await get("/Ping");
    gateway.answers.set("GET /GetDnSIP", { status: 502, body: "<html>" });
    expect((await get("/GetDnSIP")).body).toBe('{"get_DnSIPResult":""}');
  });

  it("an answer without end is cut", async () => {
    await get("/Ping");
    gateway.answers.set("GET /GetDnSIP", { body: Buffer.alloc(200_000) });
    expect((await get("/GetDnSIP")).body).toBe('{"get_DnSIPResult":""}');
    expect(opened.bridge.view.gateway.problem).toBe("the answer is too long");
  });

  it("a GET over a connection that had just been closed goes out once more, a POST does not", async () => {
    await get("/Ping");
    gateway.answers.set("POST /RegisterDn/", { instead: "cut" });
    expect((await post("/RegisterDn/", "{}")).body).toBe('{"RegisterDnResult":false}');
    expect(gateway.at("/RegisterDn/")).toHaveLength(1);
    await get("/Ping");
    gateway.answers.set("GET /GetDnSIP", { instead: "cut" });
    await get("/GetDnSIP");
    expect(gateway.at("/GetDnSIP")).toHaveLength(2);
  });
});

it("strangers do not fill the log", async () => {
  await opened.bridge.close();
  let warnings = 0;
  const log = { ...silentLogger, warn: () => void warnings++, child: () => log };
  opened = await openBridge(trust, gateway.url, { origins: [wwe] }, log);
  for (let time = 0; time < 30; time++) await opened.ask("/Ping");
  expect(warnings).toBe(20);
});

describe("an enrolment", () => {
  it("that is not there is told, and found once it is", async () => {
    await opened.bridge.close();
    opened = await openBridge(trust, undefined, { origins: [wwe] });
    expect((await get("/GetDnSIP")).body).toBe('{"get_DnSIPResult":""}');
    expect(opened.bridge.view.gateway.problem).toContain("not enrolled: jackfield bridge enrol");
    opened.kept.secret = JSON.stringify({ gateway: gateway.url, token: "other-token-of-5001" });
    opened.clock.advance(10_000);
    await get("/Ping");
    expect(gateway.asked.map(({ path }) => path)).toContain("/endpoint/other-token-of-5001/Ping");
  });

  it("of another gateway than the settings' is not used", async () => {
    await opened.bridge.close();
    const settings = { gateway: { url: "https://other.example.com", ca: undefined }, origins: [wwe] };
    opened = await openBridge(trust, gateway.url, settings);
    expect((await get("/Ping")).status).toBe(503);
    expect(opened.bridge.view.gateway.problem).toContain("enrol anew");
  });

  it("that the gateway has revoked is told, and read anew", async () => {
    await get("/Ping");
    gateway.answers.set("GET /GetDnSIP", { status: 401 });
    expect((await get("/GetDnSIP")).body).toBe('{"get_DnSIPResult":""}');
    expect(opened.bridge.view.gateway).toMatchObject({ reachable: true });
    expect(opened.bridge.view.gateway.problem).toContain("enrol anew");
    opened.kept.secret = JSON.stringify({ gateway: gateway.url, token: "newer-token-of-5001", dn: "5002" });
    opened.clock.advance(10_000);
    await get("/Ping");
    expect(opened.bridge.view.gateway).toMatchObject({ dn: "5002", problem: undefined });
  });
});

describe("the window", () => {
  it("opens at RegisterDn with a page token, which is never the agent's", async () => {
    await opened.bridge.close();
    opened = await openBridge(trust, gateway.url, { window: "on-register" });
    await get("/GetDnSIP");
    expect(opened.machine.started).toEqual([]);
    await post("/RegisterDn/", "{}");
    const program = await until(() => opened.machine.started[0]);
    expect(program.args[0]).toBe(`--app=${gateway.url}/#endpoint=page-token`);
    expect(program.args.join(" ")).not.toContain("agent-token");
    program.end({ code: 0 });
    await until(() => opened.bridge.view.window.state === "waiting");
    await post("/UnregisterDn", "{}");
    expect(opened.bridge.view.window.state).toBe("closed");
  });

  it("opens for a WWE that only pings, as after a restart of bridge and gateway, until it signs the DN out", async () => {
    await opened.bridge.close();
    opened = await openBridge(trust, gateway.url, { window: "on-register" });
    gateway.answers.set("GET /Ping", { status: 503 });
    await get("/Ping");
    expect(opened.bridge.view.window.state).toBe("closed");
    gateway.answers.delete("GET /Ping");
    await get("/Ping");
    const program = await until(() => opened.machine.started[0]);
    await post("/UnregisterDn", "{}");
    program.end({ code: 0 });
    await until(() => opened.bridge.view.window.state === "closed");
    await get("/Ping");
    expect(opened.bridge.view.window.state).toBe("closed");
  });

  it("does not open for a DN that the gateway refused", async () => {
    await opened.bridge.close();
    opened = await openBridge(trust, gateway.url, { window: "on-register" });
    gateway.answers.set("POST /RegisterDn/", { body: '{"RegisterDnResult":false}' });
    await post("/RegisterDn/", "{}");
    expect(opened.bridge.view.window.state).toBe("closed");
    expect(opened.bridge.view.events[0]?.what).toContain("refused to register");
    // What WWE asks behind RegisterDn, whatever that was answered.
    await get("/GetIsEndpointActive");
    await get("/Ping");
    expect(opened.bridge.view.window.state).toBe("closed");
    gateway.answers.delete("POST /RegisterDn/");
    await post("/RegisterDn/", "{}");
    await until(() => opened.machine.started[0]);
  });

  it("opens at the start by `always`, and closes with the bridge", async () => {
    await opened.bridge.close();
    opened = await openBridge(trust, gateway.url, { window: "always" });
    const program = await until(() => opened.machine.started[0]);
    await opened.bridge.close();
    expect(program.killed).toBe(1);
  });

  it.each([
    "http://evil.example/#endpoint=page-token",
    "https://evil.example/#endpoint=page-token",
    "file:///etc/passwd",
    "chrome://settings",
  ])("never gets another address than the gateway's, such as %s", async (url) => {
    await opened.bridge.close();
    gateway.answers.set("POST /page-token", { body: JSON.stringify({ token: "page-token", url }) });
    opened = await openBridge(trust, gateway.url, { window: "always" });
    await until(() => opened.bridge.view.window.problem === "the gateway gives no page token");
    expect(opened.machine.started).toEqual([]);
  });
});
