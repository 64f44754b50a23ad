import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fastify, type FastifyInstance } from "fastify";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  AuditLog,
  registerActRoutes,
  registerCaptureFileRoute,
  showLevels,
  type ActsDoor,
  type DrainDoor,
  type DrainStatus,
  type ReloadAnswer,
  type Login,
} from "../../src/admin/index.ts";
import { createLogger, silentLogger, type Logger, type LogLevels } from "../../src/core/index.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { adminToken, openLogin } from "./support.ts";

const certificate = {
  subject: "CN=gateway",
  validTo: Date.UTC(2026, 0, 31, 12),
  fingerprint256: "AB",
  names: [],
};

class DrainDouble implements DrainDoor {
  readonly usualSeconds = 300;
  readonly orders: unknown[] = [];
  closing = false;
  draining = false;
  get status(): DrainStatus {
    const state = this.draining ? "draining" : "serving";
    return { state, calls: 3, pages: 2, dns: 1, seconds_left: null };
  }
  begin(order: object): boolean {
    this.orders.push(order);
    this.draining ||= !this.closing;
    return !this.closing;
  }
  cancel(): boolean {
    if (!this.closing) this.draining = false;
    return !this.closing;
  }
}

class ActsDouble implements ActsDoor {
  readonly drain = new DrainDouble();
  logLevels: LogLevels | undefined;
  fault: string | undefined;
  readonly told: string[] = [];

  hangUp(call: string): boolean {
    this.told.push(`hang up ${call}`);
    return call === "c1";
  }
  signOut(dn: string): number {
    this.told.push(`sign out ${dn}`);
    return dn === "50 01" ? 2 : 0;
  }
  reload(by: string): ReloadAnswer {
    this.told.push(`reload by ${by}`);
    if (this.fault === undefined) return { changes: [{ key: "log.level", change: '"info" -> "debug"' }] };
    return { refused: this.fault, faults: [{ key: "sip.port", reason: "5060 -> 5070" }] };
  }
  reloadCertificate() {
    this.told.push("reload");
    return this.fault === undefined ? { info: certificate } : { fault: this.fault };
  }
}

const directory = mkdtempSync(join(tmpdir(), "jackfield-acts-"));
let clock = new FakeClock();
const lines: string[] = [];
let acts: ActsDouble;
let logger: Logger = silentLogger;
let audits: AuditLog;
let access: Login;
let app: FastifyInstance;
beforeEach(() => {
  lines.length = 0;
  clock = new FakeClock();
  const log = createLogger("info", { write: (line: string) => void lines.push(line) }, clock);
  acts = new ActsDouble();
  acts.logLevels = log.levels;
  logger = log;
  audits = new AuditLog(clock, log);
  app = fastify();
  access = openLogin(clock);
  registerActRoutes(app, { acts, access, audits, wallClock: () => clock.wallClock() });
  registerCaptureFileRoute(app, { directory, access, audits });
});
afterEach(() => app.close());
afterAll(() => rmSync(directory, { recursive: true }));

const bearer = { authorization: `Bearer ${adminToken}` };
type Method = "GET" | "PUT" | "POST" | "DELETE";

async function ask(method: Method, url: string, body?: object, headers: Record<string, string> = bearer) {
  const json = body === undefined ? {} : { body: JSON.stringify(body) };
  const type = { "content-type": "application/json" };
  const response = await app.inject({ method, url, headers: { ...(body ? type : {}), ...headers }, ...json });
  return { status: response.statusCode, body: response.body, headers: response.headers };
}

/** The same with the body taken apart. */
async function act(method: Method, url: string, body: object = {}) {
  const answer = await ask(method, url, body);
  const parsed: unknown = JSON.parse(answer.body);
  return [answer.status, parsed];
}

const routes = [
  ["DELETE", "/api/calls/c1"],
  ["DELETE", "/api/agents/5001"],
  ["PUT", "/api/drain"],
  ["POST", "/api/reload"],
  ["PUT", "/api/log-level"],
  ["POST", "/api/certificate/reload"],
] as const;

describe("acts", () => {
  it.each(routes)("ask for the login: %s %s", async (method, url) => {
    expect((await ask(method, url, {}, {})).status).toBe(401);
    expect((await ask(method, url, {}, { authorization: "Bearer wrong" })).status).toBe(401);
    expect([acts.told, acts.drain.draining]).toEqual([[], false]);
  });

  it.each(routes)("are not done for a form of another page's: %s %s", async (method, url) => {
    const { status } = await ask(
      method,
      url,
      { draining: true },
      { ...bearer, "content-type": "text/plain" },
    );
    expect(status).toBe(415);
    const foreign = await ask(method, url, {}, { ...bearer, origin: "https://evil.example" });
    expect(foreign.status).toBe(403);
    expect([acts.told, acts.drain.draining]).toEqual([[], false]);
  });

  it("hang a call up", async () => {
    expect(await act("DELETE", "/api/calls/c1")).toEqual([202, {}]);
    expect(await act("DELETE", "/api/calls/c2")).toEqual([
      404,
      { error: expect.stringContaining("no such call") },
    ]);
    expect(acts.told).toEqual(["hang up c1", "hang up c2"]);
  });

  it("sign a DN out, whatever characters it has", async () => {
    expect(await act("DELETE", "/api/agents/50%2001")).toEqual([202, { signed_out: 2 }]);
    expect(await act("DELETE", "/api/agents/5002")).toEqual([
      404,
      { error: expect.stringContaining("nobody") },
    ]);
  });

  it("drain and undrain", async () => {
    const left = { calls: 3, pages: 2, dns: 1, seconds_left: null };
    const drained = { draining: true, state: "draining", ...left };
    expect(await act("PUT", "/api/drain", { draining: true })).toEqual([200, drained]);
    expect(acts.drain.draining).toBe(true);
    for (const body of [{}, { draining: "no" }, [], { draining: null }])
      expect(await act("PUT", "/api/drain", body)).toEqual([400, { error: "draining is not true or false" }]);
    expect(acts.drain.draining).toBe(true);
    const { body: told } = await ask("GET", "/api/drain");
    expect(JSON.parse(told)).toEqual({ state: "draining", ...left });
    const serving = { draining: false, state: "serving", ...left };
    expect(await act("PUT", "/api/drain", { draining: false })).toEqual([200, serving]);
    expect(acts.drain.orders).toEqual([{}]);
  });

  it("drain and exit, in the usual time or that told, unless the gateway closes already", async () => {
    await act("PUT", "/api/drain", { draining: true, exit: true });
    await act("PUT", "/api/drain", { draining: true, exit: true, seconds: 0 });
    expect(acts.drain.orders).toEqual([{ exit: { seconds: 300 } }, { exit: { seconds: 0 } }]);
    expect(audits.recent.until(9).at(-1)).toMatchObject({ act: "drain and exit", outcome: "done" });
    for (const wrong of [{ exit: 1 }, { exit: true, seconds: -1 }, { exit: true, seconds: "9" }])
      expect((await act("PUT", "/api/drain", { draining: true, ...wrong }))[0]).toBe(400);
    acts.drain.closing = true;
    for (const draining of [true, false])
      expect(await act("PUT", "/api/drain", { draining })).toEqual([
        409,
        { error: "the gateway is closing" },
      ]);
  });

  const changeLevel = (body: object) => act("PUT", "/api/log-level", body);
  /** What was written but for the audit log. */
  const written = (): string[] =>
    lines
      .map((line): { msg: string } => JSON.parse(line))
      .map(({ msg }) => msg)
      .filter((message) => message !== "act of an administrator");

  it("change the log's level at run time, for loggers that there are already too", async () => {
    const child = logger.child({ room: "sip" }).child({ call: "c1" });
    child.debug({}, "before");
    expect(await changeLevel({ level: "debug" })).toEqual([200, { level: "debug", room: null, until: null }]);
    child.debug({}, "while");
    expect((await changeLevel({ level: "warn" }))[0]).toBe(200);
    child.info({}, "after");
    child.warn({}, "still");
    expect(written()).toEqual(["while", "still"]);
    acts.logLevels = undefined;
    expect((await changeLevel({ level: "info" }))[0]).toBe(409);
  });

  it("change the level of one room, and take it away again", async () => {
    const [sip, media] = [logger.child({ room: "sip" }), logger.child({ room: "media" })];
    expect(await changeLevel({ level: "debug", room: "sip" })).toEqual([
      200,
      { level: "debug", room: "sip", until: null },
    ]);
    sip.debug({}, "sip");
    media.debug({}, "media");
    expect((await changeLevel({ level: "error" }))[0]).toBe(200);
    sip.debug({}, "its own level wins");
    expect(await changeLevel({ level: null, room: "sip" })).toEqual([
      200,
      { level: "error", room: "sip", until: null },
    ]);
    sip.warn({}, "as the others");
    expect(written()).toEqual(["sip", "its own level wins"]);
  });

  it("change the level for a time, after which it goes back by itself", async () => {
    const until = new Date(clock.wallClock() + 15 * 60_000).toISOString();
    const wish = { level: "debug", room: "sip", for_minutes: 15 };
    expect(await changeLevel(wish)).toEqual([200, { level: "debug", room: "sip", until }]);
    expect(showLevels(acts.logLevels as LogLevels)).toEqual([
      { level: "info", room: null, until: null },
      { level: "debug", room: "sip", until },
    ]);
    const sip = logger.child({ room: "sip" });
    clock.advance(15 * 60_000 - 1);
    sip.debug({}, "in time");
    clock.advance(1);
    sip.debug({}, "too late");
    expect(written()).toEqual(["in time"]);
    expect(showLevels(acts.logLevels as LogLevels)).toHaveLength(1);
    expect(audits.recent.until(9).slice(-1)).toMatchObject([
      { act: "log level", target: "sip: debug for 15 minutes" },
    ]);
  });

  it.each([
    [{ level: "loud" }, "level is not one of silent, fatal, error, warn, info, debug, trace"],
    [{ level: null }, "level is not one of"],
    [{ level: "debug", room: "kitchen" }, "room is not one of admin, b2bua"],
    [{ level: "debug", room: "__proto__" }, "room is not one of"],
    [{ level: "debug", room: 7 }, "room is not one of"],
    [{ level: "debug", for_minutes: 0 }, "for_minutes is not a number of minutes up to 10080"],
    [{ level: "debug", for_minutes: 10_081 }, "for_minutes"],
    [{ level: "debug", for_minutes: "15" }, "for_minutes"],
    [{ level: null, room: "sip", for_minutes: 5 }, "level is not one of"],
  ])("leave the log's levels alone when asked for %j", async (body, error) => {
    expect(await changeLevel(body)).toEqual([400, { error: expect.stringContaining(error) }]);
    expect(showLevels(acts.logLevels as LogLevels)).toEqual([{ level: "info", room: null, until: null }]);
  });

  it("reload the certificate, or say why the old one stays", async () => {
    const shown = { subject: "CN=gateway", expires_at: "2026-01-31T12:00:00.000Z", days_left: 30 };
    expect(await act("POST", "/api/certificate/reload")).toEqual([200, shown]);
    acts.fault = "certificate a.pem is unusable: no PEM";
    expect(await act("POST", "/api/certificate/reload")).toEqual([409, { error: acts.fault }]);
  });

  it("reload the configuration, and tell what has changed, or by which keys nothing has", async () => {
    const changes = [{ key: "log.level", change: '"info" -> "debug"' }];
    expect(await act("POST", "/api/reload")).toEqual([200, { changes }]);
    expect(acts.told).toEqual(["reload by token"]);
    acts.fault = "these keys need a restart";
    const faults = [{ key: "sip.port", reason: "5060 -> 5070" }];
    expect(await act("POST", "/api/reload")).toEqual([409, { error: acts.fault, faults }]);
    const outcomes = audits.recent.until(9).map(({ act: name, outcome }) => [name, outcome]);
    expect(outcomes).toEqual([
      ["reload", "done"],
      ["reload", acts.fault],
    ]);
  });

  it("have bodies of no great size", async () => {
    expect((await ask("PUT", "/api/drain", { draining: "x".repeat(2000) })).status).toBe(413);
  });

  it("are all in the audit log, and the log, with who did what to what and how it went", async () => {
    await act("DELETE", "/api/calls/c1");
    await act("DELETE", `/api/agents/${"5".repeat(90)}`);
    await act("PUT", "/api/drain", { draining: false });
    await act("PUT", "/api/log-level", { level: "debug" });
    const by = { at: "2026-01-01T00:00:00.000Z", who: "token", role: "operate", address: "127.0.0.1" };
    const told = [
      { ...by, act: "hang up", target: "c1", outcome: "done" },
      { ...by, act: "sign out", target: "5".repeat(90), outcome: "nobody is signed in with this DN" },
      { ...by, act: "undrain", target: null, outcome: "done" },
      { ...by, act: "log level", target: "debug", outcome: "done" },
    ];
    expect(audits.recent.until(9)).toEqual(told);
    const { at: _at, ...first } = told[0] ?? by;
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: 30, audit: true, ...first });
    expect(lines.join()).not.toContain(adminToken);
    // Who turns the log down hides nothing by it, not even that.
    for (const level of ["silent", "error"]) {
      lines.length = 0;
      await act("PUT", "/api/log-level", { level });
      await act("DELETE", "/api/calls/c1");
      logger.info({ audit: "no" }, "not written");
      expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
        { audit: true, act: "log level", target: level },
        { audit: true, act: "hang up", target: "c1" },
      ]);
    }
    for (let count = 0; count < 300; count++)
      audits.note({ who: "a", role: "operate", address: "", act: "x", target: null, outcome: "done" });
    expect(audits.recent.until(9999)).toHaveLength(200);
  });
});

describe("captures", () => {
  const name = "3f0c9a1b7d2e4f60-20261121T120312.045Z.pcap";
  it("are given out to who may operate, and nothing else of the folder or beside it is", async () => {
    writeFileSync(join(directory, name), "packets");
    writeFileSync(join(directory, "secret.txt"), "secret");
    const linked = "linked-20261121T120312.045Z.pcap";
    symlinkSync("/etc/hostname", join(directory, linked));
    const given = await ask("GET", `/api/captures/${name}`);
    expect([given.status, given.body]).toEqual([200, "packets"]);
    expect(given.headers).toMatchObject({
      "content-type": "application/vnd.tcpdump.pcap",
      "content-disposition": `attachment; filename="${name}"`,
      "content-length": "7",
    });
    expect((await ask("GET", `/api/captures/${name}`, undefined, {})).status).toBe(401);
    for (const other of [
      "secret.txt",
      linked,
      `..%2f${name}`,
      "%2e%2e%2fetc",
      "none-20261121T120312.045Z.pcap",
    ])
      expect([other, (await ask("GET", `/api/captures/${other}`)).status]).toEqual([other, 404]);
    expect(audits.recent.until(1)).toMatchObject([
      { act: "download capture", target: name, outcome: "done" },
    ]);
    rmSync(join(directory, name));
    expect((await ask("GET", `/api/captures/${name}`)).status).toBe(404);
  });

  it("are had by a link of the dashboard, which browsers follow without origin and content type", async () => {
    writeFileSync(join(directory, name), "packets");
    const statusFor = async (
      role: "read" | "operate",
      more: Record<string, string> = {},
    ): Promise<number> => {
      const cookie = `jackfield-admin=${access.sessions.begin({ who: role, role })}`;
      return (await ask("GET", `/api/captures/${name}`, undefined, { cookie, ...more })).status;
    };
    expect(await statusFor("operate")).toBe(200);
    expect(await statusFor("read")).toBe(403);
    expect(await statusFor("operate", { origin: "https://evil.example" })).toBe(403);
  });

  it("are files: a folder or a pipe of that name is none, and nobody waits for it", async () => {
    const at = (place: string): string => `${place}-20261121T120312.045Z.pcap`;
    mkdirSync(join(directory, at("folder")));
    execFileSync("mkfifo", [join(directory, at("pipe"))]);
    for (const place of ["folder", "pipe"])
      expect((await ask("GET", `/api/captures/${at(place)}`)).status).toBe(404);
  });
});
