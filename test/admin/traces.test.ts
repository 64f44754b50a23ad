import { fastify, type FastifyInstance } from "fastify";
import { afterEach, describe, expect, it } from "vitest";
import { AuditLog, registerCallRoutes, type CallsDoor } from "../../src/admin/index.ts";
import { createLogger } from "../../src/core/index.ts";
import { TraceStore } from "../../src/trace/index.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { adminToken, openLogin } from "./support.ts";

const bearer = { authorization: `Bearer ${adminToken}` };
const calls: CallsDoor = {
  calls: () => [],
  captureCall: () => Promise.resolve(undefined),
  captureOf: () => undefined,
};

let app: FastifyInstance;
let clock: FakeClock;
let lines: string[];
afterEach(() => app.close());

function open(options: { noLogin?: boolean; off?: boolean } = {}): void {
  app = fastify();
  clock = new FakeClock();
  lines = [];
  const log = createLogger("info", { write: (line) => void lines.push(line) });
  const traces = new TraceStore(clock, { calls: 10, bytes: 1_000_000, showDigits: false });
  for (const dn of ["5001", "5002"]) {
    const facts = {
      dn,
      direction: "to-agent",
      farNumber: "1003",
      callUuid: `U${dn}`,
      state: "ringing",
    } as const;
    const trace = traces.begin(`c${dn}`, () => facts);
    trace.dialog("browser", `b${dn}`);
    trace.note("media", "opened");
  }
  const login = options.noLogin ? undefined : openLogin(clock);
  const given = { calls, audits: new AuditLog(clock, log), login, clock, log };
  registerCallRoutes(app, options.off ? given : { ...given, traces });
}

async function get(url: string, headers: Record<string, string> = {}) {
  const response = await app.inject({ method: "GET", url, headers: { ...bearer, ...headers } });
  return { status: response.statusCode, text: response.body, headers: response.headers };
}

describe("the admin API's traces", () => {
  it.each(["/api/traces", "/api/calls/c5001/trace"])("at %s ask for the token", async (url) => {
    open();
    expect((await app.inject({ method: "GET", url })).statusCode).toBe(401);
    expect((await get(url, { authorization: "Bearer wrong" })).status).toBe(401);
    open({ noLogin: true });
    expect((await get(url)).status).toBe(404);
  });

  it("share the wrong tokens an address may send with the rest of the API", async () => {
    open();
    const wrong = { authorization: "Bearer wrong" };
    for (let attempt = 0; attempt < 5; attempt++)
      await get(attempt % 2 === 0 ? "/api/traces" : "/api/calls", wrong);
    expect((await get("/api/traces", wrong)).status).toBe(429);
    expect((await get("/api/traces")).status).toBe(200);
  });

  it("are listed by what they are looked for", async () => {
    open();
    const ids = async (query: string): Promise<unknown> => {
      const { text } = await get(`/api/traces${query}`);
      const body: { traces: { id: string }[] } = JSON.parse(text);
      return body.traces.map(({ id }) => id);
    };
    expect(await ids("")).toHaveLength(2);
    expect(await ids("?dn=5002")).toEqual(["c5002"]);
    expect(await ids("?callUuid=U5001&number=1003")).toEqual(["c5001"]);
    expect(await ids("?callId=b5001")).toEqual(["c5001"]);
    expect(await ids("?callId=none")).toEqual([]);
  });

  it.each(["?nd=5001", "?dn=1&dn=2"])("refuse a filter they do not know: %s", async (query) => {
    open();
    const { status, text } = await get(`/api/traces${query}`);
    expect([status, JSON.parse(text)]).toEqual([400, { error: expect.stringMatching(/nd|dn/) }]);
  });

  it("are told as JSON, and as text where that is asked for", async () => {
    open();
    const json = await get("/api/calls/c5001/trace");
    expect(json.headers).toMatchObject({ "cache-control": "no-store" });
    expect(JSON.parse(json.text)).toMatchObject({
      id: "c5001",
      dn: "5001",
      call_ids: { browser: ["b5001"], sip_server: [] },
      entries: [{ at_ms: 0, kind: "media", side: null, text: "opened" }],
    });
    for (const [url, accept] of [
      ["/api/calls/c5001/trace?format=text", "*/*"],
      ["/api/calls/c5001/trace", "text/plain"],
    ] as const) {
      const text = await get(url, { accept });
      expect(text.headers["content-type"]).toBe("text/plain; charset=utf-8");
      expect(text.text).toMatch(/^call c5001: DN 5001/);
    }
    expect((await get("/api/calls/c5001/trace?format=json", { accept: "text/plain" })).text).toMatch(/^\{/);
  });

  it("are written down once a minute for each who reads one, however often that is", async () => {
    open();
    const told = (): unknown[] => lines.map((line) => (JSON.parse(line) as { call: string }).call);
    for (let times = 0; times < 5; times++) await get("/api/calls/c5001/trace");
    await get("/api/calls/c5002/trace");
    expect(told()).toEqual(["c5001", "c5002"]);
    clock.advance(59_000);
    await get("/api/calls/c5001/trace");
    expect(told()).toHaveLength(2);
    clock.advance(1000);
    await get("/api/calls/c5001/trace");
    expect(told()).toHaveLength(3);
    expect(JSON.parse(lines[2] ?? "")).toMatchObject({ msg: "trace read", who: "token", dn: "5001" });
  });

  it("answer 404 in words for one that is not kept, and while they are off", async () => {
    open();
    const missing = await get("/api/calls/nobody/trace");
    expect([missing.status, missing.text]).toEqual([404, expect.stringContaining("GET /api/traces")]);
    open({ off: true });
    for (const url of ["/api/traces", "/api/calls/c5001/trace"]) {
      const { status, text } = await get(url);
      expect([status, text]).toEqual([404, expect.stringContaining("trace.calls")]);
    }
  });
});
