import { get } from "node:https";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LogLine } from "../../src/bridge/log/read-line.ts";
import type { BridgeView } from "../../src/bridge/state.ts";
import { FakeGateway, wwe } from "./support/fake-gateway.ts";
import { LocalTrust, openBridge, until, type OpenedBridge } from "./support/open-bridge.ts";

const trust = new LocalTrust();
afterAll(() => trust.authority.remove());

let gateway: FakeGateway;
let opened: OpenedBridge;
let origin: string;
let host: string;

beforeEach(async () => {
  gateway = await new FakeGateway().listen();
  opened = await openBridge(trust, gateway.url);
  host = `127.0.0.1:${opened.bridge.port}`;
  origin = `https://${host}`;
});
afterEach(async () => {
  await opened.bridge.close();
  await gateway.close();
  expect(opened.clock.pendingTimers).toBe(0);
});

async function pageToken(): Promise<string> {
  const { body } = await opened.ask("/dashboard", { headers: { host } });
  return /name="page-token" content="([\da-f]{64})"/.exec(body)?.[1] ?? "none";
}

async function act(
  name: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; said: string }> {
  const { status, body } = await opened.ask("/dashboard/act", {
    method: "POST",
    headers: {
      host,
      origin,
      "content-type": "application/json",
      "x-page-token": await pageToken(),
      ...headers,
    },
    body: JSON.stringify({ act: name }),
  });
  return { status, said: (JSON.parse(body) as { said: string }).said };
}

interface Message {
  readonly view: BridgeView;
  readonly log: readonly LogLine[];
}

/** An open dashboard: what it was told, oldest first. */
function look(): { readonly messages: Message[]; end(): void } {
  const messages: Message[] = [];
  let rest = "";
  const asked = get(
    { host: "127.0.0.1", port: opened.bridge.port, path: "/dashboard/events", ca: trust.authority.ca.cert },
    (response) => {
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        const parts = (rest + text).split("\n\n");
        rest = parts.pop() ?? "";
        for (const part of parts) messages.push(JSON.parse(part.replace(/^data: /, "")) as Message);
      });
      response.on("error", () => {});
    },
  );
  asked.on("error", () => {});
  return { messages, end: () => asked.destroy() };
}

describe("the dashboard", () => {
  it("is a page of the bridge's own, which runs nothing of others and stands in no frame", async () => {
    const page = await opened.ask("/dashboard", { headers: { host } });
    expect(page.status).toBe(200);
    expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
    const policy = String(page.headers["content-security-policy"]);
    for (const rule of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"])
      expect(policy).toContain(rule);
    expect(page.headers["access-control-allow-origin"]).toBeUndefined();
    expect(page.body).not.toMatch(/<script>|style=|https?:/);
    expect((await opened.ask("/dashboard/script.js")).headers["content-type"]).toContain("javascript");
    expect((await opened.ask("/dashboard/style.css")).headers["content-type"]).toContain("css");
    expect(await opened.ask("/")).toMatchObject({ status: 302, headers: { location: "/dashboard" } });
    expect((await opened.ask("/dashboard/other")).status).toBe(404);
  });

  it("tells the state, the events and the log at once and at each change", async () => {
    const { messages, end } = look();
    await until(() => messages.length > 0);
    expect(messages[0]?.log.map(({ level, text }) => [level, text])).toEqual([
      ["warn", "a later line | origin: https://a.example"],
      ["info", "a line of the log"],
    ]);
    expect(messages[0]?.view).toMatchObject({ version: "0.0.0", gateway: { enrolled: true, dn: "5001" } });
    expect(JSON.stringify(messages)).not.toContain("agent-token");
    await opened.ask("/Ping", { headers: { origin: wwe } });
    opened.clock.advance(1000);
    await until(() => messages.at(-1)?.view.wwe.lastRequest === "Ping");
    await until(() => opened.bridge.view.pageConnected !== undefined);
    gateway.status = { in_service: true, page_connected: true };
    opened.clock.advance(5000);
    await until(() => opened.bridge.view.pageConnected);
    opened.clock.advance(1000);
    await until(() => messages.at(-1)?.view.events.some(({ what }) => what === "the page is connected"));
    expect(messages.at(-1)?.view).toMatchObject({ inService: true, pageConnected: true });
    end();
  });

  it("tells many changes together", async () => {
    const { messages, end } = look();
    await until(() => messages.length > 0);
    opened.clock.advance(1000);
    const { length } = messages;
    for (let ping = 0; ping < 20; ping++) await opened.ask("/Ping", { headers: { origin: wwe } });
    opened.clock.advance(1000);
    await opened.ask("/Ping", { headers: { origin: wwe } });
    expect(messages.length - length).toBeLessThanOrEqual(3);
    end();
  });

  it("tells whether the certificate is trusted, and when that is no longer so", async () => {
    const { messages, end } = look();
    await until(() => messages.at(-1)?.view.certificate?.daysLeft === 700);
    const remedy = "jackfield bridge trust";
    trust.view = { ...trust.view, stores: [{ store: "a store", trusted: false }], remedy };
    opened.clock.advance(30_000);
    await until(() => opened.bridge.view.certificate?.remedy === remedy);
    expect(opened.bridge.view.events[0]?.what).toBe(`the certificate may keep WWE out: ${remedy}`);
    opened.clock.advance(1000);
    await until(() => messages.at(-1)?.view.certificate?.stores[0]?.trusted === false);
    trust.view = { ...trust.view, remedy: undefined };
    await act("test");
    expect(opened.bridge.view.certificate?.remedy).toBeUndefined();
    end();
  });

  it("asks the gateway seldom while nobody looks", async () => {
    const asked = () => gateway.at("/status").length;
    // The first look is over.
    await until(() => opened.bridge.view.pageConnected !== undefined);
    opened.clock.advance(55_000);
    // What was asked by then has reached the gateway before this.
    await opened.ask("/Ping", { headers: { origin: wwe } });
    expect(asked()).toBe(1);
    opened.clock.advance(5000);
    await until(() => asked() === 2);
  });

  it("is open eight times at most", async () => {
    const open = Array.from({ length: 8 }, look);
    await until(() => open.every(({ messages }) => messages.length > 0));
    expect((await opened.ask("/dashboard/events")).status).toBe(503);
    for (const one of open) one.end();
  });

  it("tests the connection", async () => {
    expect(await act("test")).toEqual({
      status: 200,
      said: expect.stringContaining(`${gateway.url} answered`) as string,
    });
    await gateway.close();
    expect((await act("test")).said).toMatch(/^Failed: nothing listens/);
  });

  it("opens the window", async () => {
    expect((await act("window")).status).toBe(200);
    const program = await until(() => opened.machine.started[0]);
    expect(program.args[0]).toContain("#endpoint=page-token");
  });

  it("opens no window anew that has a call, but one whose page is lost", async () => {
    await act("window");
    const program = await until(() => opened.machine.started[0]);
    await until(() => opened.bridge.view.window.state === "open");
    gateway.status = { in_service: true, page_connected: true, in_call: true };
    expect((await act("window")).said).toMatch(/^Not opened anew: the agent has a call/);
    expect(program.killed).toBe(0);
    gateway.status = { in_service: true, page_connected: false, in_call: true };
    expect((await act("window")).said).toBe("The window is being opened.");
    expect(program.killed).toBe(1);
    await until(() => opened.machine.started.length === 2);
  });

  it("closes no window while nobody can tell whether it has a call", async () => {
    await act("window");
    const program = await until(() => opened.machine.started[0]);
    await until(() => opened.bridge.view.window.state === "open");
    await gateway.close();
    expect((await act("window")).said).toMatch(/^Not opened anew: the gateway cannot be asked/);
    expect((await act("restart")).said).toMatch(/^Not restarted: the gateway cannot be asked/);
    expect([program.killed, opened.restarts.count]).toEqual([0, 0]);
    program.end({ code: 0 });
    await until(() => opened.bridge.view.window.state !== "open");
    expect((await act("restart")).said).toBe("The bridge begins anew.");
  });

  it("restarts the bridge, unless the settings have a fault", async () => {
    opened.restarts.fault = "port 0 is out of range";
    expect((await act("restart")).said).toBe("Not restarted: port 0 is out of range");
    opened.restarts.fault = undefined;
    expect((await act("restart")).said).toBe("The bridge begins anew.");
    expect(opened.restarts.count).toBe(2);
  });

  it("acts for its own page alone: its origin, its token, JSON", async () => {
    const refused = { status: 403, said: expect.any(String) as string };
    expect(await act("restart", { origin: wwe })).toEqual(refused);
    expect(await act("restart", { origin: `https://localhost:${opened.bridge.port}` })).toEqual(refused);
    expect(await act("restart", { origin: "null" })).toEqual(refused);
    expect(await act("restart", { "x-page-token": "0".repeat(64) })).toEqual(refused);
    expect(await act("restart", { "x-page-token": "" })).toEqual(refused);
    expect(await act("restart", { "sec-fetch-site": "same-site" })).toEqual(refused);
    expect(await act("restart", { "sec-fetch-site": "none" })).toEqual(refused);
    expect((await act("restart", { "content-type": "text/plain" })).status).toBe(415);
    expect((await act("explode")).status).toBe(400);
    const { status } = await opened.ask("/dashboard/act", { method: "POST", headers: { host }, body: "{}" });
    expect(status).toBe(403);
    expect(opened.restarts.count).toBe(0);
  });

  it("shows nothing to other pages, but opens by a link on any", async () => {
    const from = (site: string, mode: string, path = "/dashboard") =>
      opened.ask(path, { headers: { host, "sec-fetch-site": site, "sec-fetch-mode": mode } });
    expect((await from("cross-site", "no-cors")).status).toBe(403);
    expect((await from("same-site", "cors")).status).toBe(403);
    expect((await from("cross-site", "navigate")).status).toBe(200);
    expect((await from("none", "navigate")).status).toBe(200);
    expect((await from("cross-site", "navigate", "/dashboard/events")).status).toBe(403);
    const events = await opened.ask("/dashboard/events", { headers: { host, origin: wwe } });
    expect(events.status).toBe(403);
    expect((await opened.ask("/dashboard", { headers: { host: "evil.example" } })).status).toBe(403);
  });
});
