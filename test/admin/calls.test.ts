import { fastify, type FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AuditLog, registerCallRoutes, type CallsDoor } from "../../src/admin/index.ts";
import type { CallCaptureOptions, CallSummary } from "../../src/b2bua/index.ts";
import { createLogger, silentLogger, type Logger } from "../../src/core/index.ts";
import { CaptureRefusedError, type CaptureRefusal, type RunningCapture } from "../../src/media/index.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { adminToken, openLogin } from "./support.ts";

const token = adminToken;
const call: CallSummary = {
  id: "c1",
  dn: "5001",
  instance: "urn:uuid:1",
  direction: "to-agent",
  answeredAt: undefined,
  held: false,
  codecs: { browser: undefined, trunk: undefined },
  server: undefined,
  quality: {},
  callUuid: undefined,
  farNumber: "71000",
  state: "established",
  since: "2026-11-21T12:00:00.000Z",
  captureFile: undefined,
};

class CallsDouble implements CallsDoor {
  asked: CallCaptureOptions[] = [];
  stops = 0;
  refusal: CaptureRefusal | undefined;
  fault: Error | undefined;
  capture: RunningCapture | undefined;

  calls(): CallSummary[] {
    return [{ ...call, captureFile: this.capture?.file }];
  }

  captureCall(id: string, options: CallCaptureOptions): Promise<RunningCapture | undefined> {
    if (this.fault) return Promise.reject(this.fault);
    if (this.refusal) return Promise.reject(new CaptureRefusedError(this.refusal, `because ${this.refusal}`));
    if (id !== "c1") return Promise.resolve(undefined);
    this.asked.push(options);
    this.capture = {
      file: "c1-now.pcap",
      ended: Promise.resolve({ file: "c1-now.pcap", packets: 7, leftOut: 1, bytes: 900, reason: "stopped" }),
      stop: () => this.stops++,
    };
    return Promise.resolve(this.capture);
  }

  captureOf(id: string): RunningCapture | undefined {
    return id === "c1" ? this.capture : undefined;
  }
}

let app: FastifyInstance;
let calls: CallsDouble;
let clock: FakeClock;
function open({ noLogin = false, log = silentLogger }: { noLogin?: boolean; log?: Logger } = {}): void {
  app = fastify();
  calls = new CallsDouble();
  clock = new FakeClock();
  const audits = new AuditLog(clock, log);
  registerCallRoutes(app, {
    calls,
    login: noLogin ? undefined : openLogin(clock, { log }),
    audits,
    clock,
    log,
  });
}
beforeEach(() => open());
afterEach(() => app.close());

const bearer = { authorization: `Bearer ${token}` };
const json = { "content-type": "application/json" };

async function ask(
  method: "GET" | "POST" | "DELETE",
  url: string,
  more: { headers?: Record<string, string>; body?: string; remoteAddress?: string } = {},
) {
  const response = await app.inject({ method, url, headers: bearer, ...more });
  const body: unknown = response.body === "" ? undefined : JSON.parse(response.body);
  return { status: response.statusCode, body, headers: response.headers };
}

function order(body: unknown) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return ask("POST", "/api/calls/c1/capture", { headers: { ...bearer, ...json }, body: text });
}

describe("the admin API's login", () => {
  const routes = [
    ["GET", "/api/calls"],
    ["GET", "/api/calls/active"],
    ["POST", "/api/calls/c1/capture"],
    ["DELETE", "/api/calls/c1/capture"],
  ] as const;

  it.each(routes)("is asked for by %s %s", async (method, url) => {
    for (const authorization of [undefined, "", "Bearer", `Bearer ${token}x`, `Basic ${token}`, token]) {
      open();
      const headers = { ...json, ...(authorization === undefined ? {} : { authorization }) };
      const { status, headers: answer } = await ask(method, url, { headers });
      expect([authorization, status]).toEqual([authorization, 401]);
      expect(answer["www-authenticate"]).toContain("Bearer");
    }
    expect(calls.asked).toEqual([]);
  });

  it("comes before the body is looked at", async () => {
    const broken = { headers: { ...json, authorization: "Bearer wrong" }, body: "{" };
    expect((await ask("POST", "/api/calls/c1/capture", broken)).status).toBe(401);
  });

  it("answers 429 to an address that goes on sending wrong tokens, and never to the right one", async () => {
    const wrong = { headers: { authorization: "Bearer wrong" } };
    for (let attempt = 0; attempt < 5; attempt++)
      expect((await ask("GET", "/api/calls", wrong)).status).toBe(401);
    const refused = await ask("GET", "/api/calls", wrong);
    expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "10"]);
    expect((await ask("GET", "/api/calls", { ...wrong, remoteAddress: "192.0.2.7" })).status).toBe(401);
    // A whole site may come by one proxy's address: who guesses there must not shut the right token out.
    expect((await ask("GET", "/api/calls")).status).toBe(200);
    expect((await ask("GET", "/api/calls", wrong)).status).toBe(429);
    clock.advance(10_000);
    expect((await ask("GET", "/api/calls", wrong)).status).toBe(401);
  });

  it.each(routes)("is not there, as %s %s is not, without a token", async (method, url) => {
    open({ noLogin: true });
    expect((await ask(method, url)).status).toBe(404);
  });
});

describe("the admin API's calls", () => {
  it("are told with what an engineer finds one by", async () => {
    expect((await ask("GET", "/api/calls")).body).toEqual({
      calls: [
        {
          id: "c1",
          dn: "5001",
          direction: "to-agent",
          far_number: "71000",
          call_uuid: null,
          since: "2026-11-21T12:00:00.000Z",
          answered_at: null,
          state: "established",
          held: false,
          codecs: { browser: null, sip_server: null },
          server: null,
          quality: null,
          mos: null,
          capture: null,
        },
      ],
    });
    await order({});
    expect((await ask("GET", "/api/calls")).body).toMatchObject({ calls: [{ capture: "c1-now.pcap" }] });
  });
});

describe("the admin API's captures", () => {
  it("begin with what was asked for, and by default with a minute, 10 MB and no payload", async () => {
    const standard = { seconds: 60, bytes: 10_000_000, payload: false };
    expect(await order({})).toMatchObject({ status: 202, body: { file: "c1-now.pcap", ...standard } });
    const own = { seconds: 1.5, bytes: 100_000_000, payload: true };
    expect(await order(own)).toMatchObject({ status: 202, body: own });
    expect(calls.asked).toEqual([
      { durationMs: 60_000, bytes: 10_000_000, payload: false },
      { durationMs: 1500, bytes: 100_000_000, payload: true },
    ]);
  });

  it.each([
    [{ seconds: 0 }, "seconds"],
    [{ seconds: 601 }, "seconds"],
    [{ seconds: "60" }, "seconds"],
    [{ seconds: null, bytes: 999 }, "bytes"],
    [{ bytes: 100_000_001 }, "bytes"],
    [{ bytes: 5000.5 }, "bytes"],
    [{ payload: "yes" }, "payload"],
    [{ payload: 1 }, "payload"],
    [{ file: "/etc/passwd" }, "file"],
    [{ __proto__x: 1 }, "__proto__x"],
    [[], "object"],
    ["null", "object"],
    ["7", "object"],
    ["{", "JSON"],
    ["", "JSON"],
  ])("are refused with 400 naming the key: %j", async (body, named) => {
    const { status, body: answer } = await order(body);
    expect(status).toBe(400);
    expect(JSON.stringify(answer)).toContain(named);
    expect(calls.asked).toEqual([]);
  });

  it("are asked for in JSON only", async () => {
    for (const type of [undefined, "text/plain", "application/x-www-form-urlencoded", "application/jsonx"]) {
      const headers = { ...bearer, ...(type === undefined ? {} : { "content-type": type }) };
      const { status } = await ask("POST", "/api/calls/c1/capture", { headers, body: "{}" });
      expect([type, status]).toEqual([type, 415]);
    }
    const headers = { ...bearer, "content-type": "application/json; charset=utf-8" };
    expect((await ask("POST", "/api/calls/c1/capture", { headers, body: "{}" })).status).toBe(202);
  });

  it("have bodies of no great size", async () => {
    expect((await order({ file: "x".repeat(5000) })).status).toBe(413);
  });

  it("are 404 of a call that is not", async () => {
    const more = { headers: { ...bearer, ...json }, body: "{}" };
    expect((await ask("POST", "/api/calls/c2/capture", more)).status).toBe(404);
    expect((await ask("POST", "/api/calls/..%2fc1/capture", more)).status).toBe(404);
    expect((await ask("DELETE", "/api/calls/c2/capture")).status).toBe(404);
  });

  it.each([
    ["off", 409],
    ["limit", 409],
    ["running", 409],
    ["no-media", 409],
    ["file", 500],
  ] as const)("that are refused (%s) answer %i with the reason in words", async (refusal, status) => {
    calls.refusal = refusal;
    const answer = await order({});
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).toContain(`because ${refusal}`);
    if (refusal === "off") expect(JSON.stringify(answer.body)).toContain("write one into the configuration");
  });

  it("stop, and tell what the file holds", async () => {
    expect((await ask("DELETE", "/api/calls/c1/capture")).body).toEqual({
      error: "no capture of this call runs",
    });
    await order({});
    expect(await ask("DELETE", "/api/calls/c1/capture")).toMatchObject({
      status: 200,
      body: { file: "c1-now.pcap", packets: 7, left_out: 1, bytes: 900, reason: "stopped" },
    });
    expect(calls.stops).toBe(1);
  });

  it("are written down in the log: who, of which call, what; the token never", async () => {
    const lines: string[] = [];
    const log = createLogger("debug", { write: (line: string) => void lines.push(line) });
    open({ log });
    await order({ seconds: 5, payload: true });
    await ask("DELETE", "/api/calls/c1/capture");
    await ask("GET", "/api/calls", { headers: { authorization: `Bearer wrong-${token}` } });
    const told = lines.map((line): unknown => JSON.parse(line));
    const started = {
      msg: "capture started",
      address: "127.0.0.1",
      call: "c1",
      dn: "5001",
      file: "c1-now.pcap",
    };
    expect(told).toContainEqual(expect.objectContaining({ ...started, seconds: 5, payload: true }));
    expect(told).toContainEqual(
      expect.objectContaining({ msg: "capture ended", packets: 7, reason: "stopped" }),
    );
    expect(told).toContainEqual(expect.objectContaining({ msg: "wrong admin token", address: "127.0.0.1" }));
    expect(lines.join()).not.toContain(token);
  });
});
