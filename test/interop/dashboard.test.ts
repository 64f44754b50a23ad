import { connect as connectHttp2 } from "node:http2";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Gateway } from "../../src/cli/index.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { BrowserDouble } from "../support/browser-double.ts";
import { readEvents, type ServerEvent } from "../support/event-reader.ts";
import { openTestGateway, openTestSandbox } from "../support/test-gateway.ts";
import { writeCertificate } from "../ws/support.ts";

const token = "a-token-of-the-tests-0123456789-abcdef";
const directory = mkdtempSync(join(tmpdir(), "jackfield-dashboard-"));
let sandbox: Sandbox;
let gateway: Gateway;
const browsers: BrowserDouble[] = [];
beforeAll(async () => {
  sandbox = await openTestSandbox();
  const config = { media: { captureDirectory: directory }, admin: { token } };
  gateway = await openTestGateway({ sipServer: `127.0.0.1:${sandbox.port}`, config });
});
afterAll(async () => {
  await Promise.all(browsers.map((browser) => browser.close()));
  await gateway.close();
  await sandbox.close();
  rmSync(directory, { recursive: true });
});

const authorization = `Bearer ${token}`;
const url = (path: string): string => `http://127.0.0.1:${gateway.httpPort}${path}`;

async function act(method: string, path: string, body: object = {}) {
  const headers = { authorization, "content-type": "application/json" };
  const response = await fetch(url(path), { method, headers, body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}

/** What the dashboard knows, followed as its page does. */
class Follower {
  readonly state = new Map<string, unknown>();
  readonly events: ServerEvent[] = [];
  readonly #abort = new AbortController();
  #ended: Promise<void> = Promise.resolve();
  #onEvent: () => void = () => {};

  static async open(): Promise<Follower> {
    const follower = new Follower();
    const response = await fetch(url("/api/events"), {
      headers: { authorization },
      signal: follower.#abort.signal,
    });
    expect([response.status, response.headers.get("content-type")]).toEqual([
      200,
      "text/event-stream; charset=utf-8",
    ]);
    if (!response.body) throw new Error("no body");
    follower.#ended = follower.#follow(response.body);
    await follower.until(() => follower.events.length > 0);
    return follower;
  }

  async #follow(body: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const event of readEvents(body)) {
        this.events.push(event);
        this.#onEvent();
      }
    } catch (error) {
      if (!this.#abort.signal.aborted) throw error;
    }
  }

  /** Text of all that was told: conditions look for what must have come. */
  get text(): string {
    return JSON.stringify(this.events);
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#onEvent = () => {
        if (condition()) resolve();
      };
      this.#onEvent();
    });
  }

  get ended(): Promise<void> {
    return this.#ended;
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#ended;
  }
}

async function signIn(dn: string): Promise<BrowserDouble> {
  const browser = await BrowserDouble.signIn({
    url: `ws://127.0.0.1:${gateway.httpPort}/ws`,
    dn,
    allowEvents: "x-jackfield-trunk",
  });
  browsers.push(browser);
  await browser.trunkState("in-service");
  return browser;
}

describe("the dashboard's live status", () => {
  it("tells all at first, then an agent that signs in, its call and how that ends", async () => {
    const follower = await Follower.open();
    expect(follower.events[0]).toMatchObject({
      event: "snapshot",
      data: {
        gateway: { draining: false, certificate: null, traces: true, captures: true },
        agents: [],
        calls: [],
        servers: [{ address: `127.0.0.1:${sandbox.port}`, up: true, in_use: true }],
        workers: [{ index: 0, up: true, call_limit: null }],
        failures: [],
        audit: [],
      },
    });
    const browser = await signIn("5001");
    await follower.until(() => follower.text.includes('"state":"in-service"'));
    const call = await browser.dial("9196");
    await call.when("answered");
    await call.connected;
    await follower.until(() => follower.text.includes('"state":"established"'));
    const established = follower.events.findLast(({ data }) => data["calls"] !== undefined);
    expect(established?.data["calls"]).toMatchObject({
      changed: [
        { dn: "5001", far_number: "9196", held: false, codecs: { browser: "opus", sip_server: "pcmu" } },
      ],
    });
    const [{ id } = { id: "" }] = gateway.b2bua.calls();
    expect(await act("DELETE", `/api/calls/${id}`)).toEqual({ status: 202, body: {} });
    expect(await call.when("ended")).toContain("ended by operator");
    await follower.until(() => follower.text.includes(`"gone":["${id}"]`));
    await follower.until(() => follower.text.includes('"act":"hang up"'));
    await follower.close();
  });

  it("signs an agent out: the DN leaves SIP Server, its page hears of it and does not come back by itself", async () => {
    const browser = await signIn("5002");
    expect(await act("DELETE", "/api/agents/5002")).toEqual({ status: 202, body: { signed_out: 1 } });
    expect(gateway.registrar.find("5002")).toBeUndefined();
    await browser.trunkState("idle");
    await browser.agent.flow?.closed;
    await browser.agent.connect();
    expect(await browser.agent.register()).toBe(403);
    expect(await act("DELETE", "/api/agents/5002")).toMatchObject({ status: 404 });
    await signIn("5002");
  });
});

describe("a drained gateway", () => {
  it("refuses new calls and sign-ins, leaves SIP Server once its calls are over, and comes back", async () => {
    const [idle, talking] = [await signIn("5003"), await signIn("5004")];
    const call = await talking.dial("9196");
    await call.when("answered");
    await call.connected;
    expect(await act("PUT", "/api/drain", { draining: true })).toMatchObject({
      status: 200,
      body: { draining: true, state: "draining", calls: 1, seconds_left: null },
    });
    await idle.trunkState("idle");
    const ready = await fetch(url("/health/ready"));
    expect([ready.status, await ready.json()]).toEqual([503, { status: "draining" }]);
    await expect(signIn("5005")).rejects.toThrow("503");
    expect(await (await talking.dial("9196")).when("failed")).toContain("503");
    expect(gateway.trunkRegistrations.status("5004").state).toBe("in-service");
    call.hangUp();
    await talking.trunkState("idle");
    // Who was there before may register on.
    expect(await idle.agent.register()).toBe(200);
    await act("PUT", "/api/drain", { draining: false });
    await idle.trunkState("in-service");
    await talking.trunkState("in-service");
    await signIn("5005");
  });
});

describe("streams of events", () => {
  it("are 20 at most, and end with the gateway, by HTTP/2 as well", async () => {
    const tls = { cert: join(directory, "cert.pem"), key: join(directory, "key.pem") };
    writeCertificate(tls.cert, tls.key, "gateway.test");
    const other = await openTestGateway({
      sipServer: `127.0.0.1:${sandbox.port}`,
      config: { http: { host: "127.0.0.1", port: 0, tls }, admin: { token } },
    });
    const session = connectHttp2(`https://127.0.0.1:${other.httpPort}`, { rejectUnauthorized: false });
    const streams = Array.from({ length: 21 }, () =>
      session.request({ ":path": "/api/events", authorization }),
    );
    const statuses = await Promise.all(
      streams.map(
        (stream) => new Promise((resolve) => stream.on("response", (headers) => resolve(headers[":status"]))),
      ),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(20);
    expect(statuses).toContain(503);
    const [first] = streams;
    if (!first) throw new Error("no stream");
    for await (const { event, data } of readEvents(first.setEncoding("utf8"))) {
      expect([event, data["gateway"]]).toEqual([
        "snapshot",
        expect.objectContaining({
          certificate: expect.objectContaining({ subject: "CN=gateway.test", days_left: 1 }),
        }),
      ]);
      break;
    }
    const ended = streams
      .slice(1, 20)
      .map((stream) => new Promise((resolve) => stream.resume().on("end", resolve)));
    await other.close();
    await Promise.all(ended);
    session.destroy();
  });
});
