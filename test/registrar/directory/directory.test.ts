import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createLogger } from "../../../src/core/index.ts";
import { AgentDirectory, type DirectoryOptions } from "../../../src/registrar/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { JsonServer, type JsonReply } from "../../support/json-server.ts";

const ha1 = "00112233445566778899aabbccddeeff";
const agent: JsonReply = {
  json: { ha1: ha1.toUpperCase(), display_name: "Ann", trunk_password: "t-5001", more: [1] },
};

let clock: FakeClock;
let lines: string[];
let server: JsonServer;
let opened: AgentDirectory[];

beforeEach(async () => {
  clock = new FakeClock();
  lines = [];
  opened = [];
  server = await JsonServer.open(({ path }) => (path.startsWith("/agents/5") ? agent : { status: 404 }));
});
afterEach(async () => {
  for (const directory of opened) directory.close();
  await server.close();
});

function open(options: Partial<DirectoryOptions> = {}): AgentDirectory {
  const directory = new AgentDirectory({
    url: `${server.url}/agents/{dn}`,
    header: "Authorization",
    timeoutSeconds: 3,
    cacheSeconds: 300,
    negativeCacheSeconds: 30,
    staleSeconds: 3600,
    ...options,
    clock,
    log: createLogger("info", { write: (line) => void lines.push(line) }),
  });
  opened.push(directory);
  return directory;
}

describe("an agent of the directory", () => {
  test("is known after a look-up, and asked for anew when that has got old", async () => {
    const directory = open();
    expect(directory.find("5001")).toBeUndefined();
    expect(await directory.prepare("5001", "192.0.2.1")).toBe("ready");
    expect(directory.find("5001")).toEqual({ ha1, displayName: "Ann", trunkPassword: "t-5001" });
    clock.advance(299_999);
    expect(directory.prepare("5001", "192.0.2.1")).toBeUndefined();
    clock.advance(1);
    expect(await directory.prepare("5001", "192.0.2.1")).toBe("ready");
    expect(server.requests).toHaveLength(2);
  });

  test("is asked for by GET with the DN in the path, coded, or by POST", async () => {
    await open({ url: `${server.url}/find`, header: "X-Api-Key", secret: "k" }).prepare("5001", "192.0.2.1");
    await open({ url: `${server.url}/find?dn={dn}` }).prepare("a+b", "192.0.2.1");
    expect(server.requests).toMatchObject([
      { method: "POST", path: "/find", body: '{"dn":"5001"}', headers: { "x-api-key": "k" } },
      { method: "GET", path: "/find?dn=a%2Bb" },
    ]);
  });

  test("shows who asks by a bearer token", async () => {
    await open({ secret: "s3cret-of-the-gateway" }).prepare("5*#+1", "192.0.2.1");
    expect(server.requests).toMatchObject([
      { path: "/agents/5*%23%2B1", headers: { authorization: "Bearer s3cret-of-the-gateway" } },
    ]);
  });

  test("is asked for once by all who wait", async () => {
    const directory = open();
    const waits = Array.from({ length: 50 }, async () => directory.prepare("5001", "192.0.2.1"));
    expect(directory.waiting).toBe(50);
    expect(new Set(await Promise.all(waits))).toEqual(new Set(["ready"]));
    expect([server.requests.length, directory.waiting]).toEqual([1, 0]);
  });

  test("that the directory forgets is known no more, though he was", async () => {
    const directory = open();
    await directory.prepare("5001", "192.0.2.1");
    server.reply = () => ({ status: 404 });
    clock.advance(300_000);
    expect(await directory.prepare("5001", "192.0.2.1")).toBe("ready");
    expect(directory.find("5001")).toBeUndefined();
  });
});

describe("a DN that is none", () => {
  test("is not asked for again for a while", async () => {
    const directory = open();
    expect(await directory.prepare("7001", "192.0.2.1")).toBe("ready");
    expect(directory.find("7001")).toBeUndefined();
    expect(directory.prepare("7001", "192.0.2.1")).toBeUndefined();
    clock.advance(30_000);
    await directory.prepare("7001", "192.0.2.1");
    expect(server.requests).toHaveLength(2);
  });

  test.each(["", "../secret", "50 01", "5001/..", "5".repeat(65), "__proto__;"])(
    "(%j) is never asked for",
    (dn) => {
      expect(open().prepare(dn, "192.0.2.1")).toBeUndefined();
      expect(server.requests).toHaveLength(0);
    },
  );

  test("made up by the thousand keeps nobody else waiting for long: one address may have 400 wait", async () => {
    server.reply = () => "never";
    const directory = open();
    const waits = Array.from({ length: 500 }, async (_none, index) =>
      directory.prepare(`7${index}`, "203.0.113.1"),
    );
    expect(directory.waiting).toBe(400);
    expect(await waits[450]).toBe("busy");
    const honest = directory.prepare("5001", "192.0.2.1");
    const others = Array.from({ length: 3000 }, async (_none, index) =>
      directory.prepare(`8${index}`, `198.51.100.${index}`),
    );
    expect(directory.waiting).toBe(2000);
    expect(await directory.prepare("5002", "192.0.2.1")).toBe("busy");
    await server.asked(16);
    expect(server.requests).toHaveLength(16);
    clock.advance(3000);
    expect(await honest).toBe("down");
    expect(new Set(await Promise.all(waits))).toEqual(new Set(["busy", "down"]));
    await Promise.all(others);
    expect(directory.waiting).toBe(0);
  });
});

describe("a directory that is down", () => {
  test.each<[string, JsonServer["reply"]]>([
    ["fails", () => ({ status: 500 })],
    ["wants another secret", () => ({ status: 401 })],
    ["redirects", ({ path }) => (path === "/new" ? agent : { status: 302, headers: { location: "/new" } })],
    ["answers without end", () => ({ text: `{"ha1":"${"0".repeat(20_000)}"}` })],
  ])("(%s) lets those known go on, and knows no new ones", async (_what, reply) => {
    const directory = open();
    await directory.prepare("5001", "192.0.2.1");
    server.reply = reply;
    clock.advance(300_000);
    expect(await directory.prepare("5001", "192.0.2.1")).toBe("ready");
    expect(directory.find("5001")?.ha1).toBe(ha1);
    expect(await directory.prepare("5002", "192.0.2.1")).toBe("down");
    expect(directory.counters).toMatchObject({ stale: 1, failures: 1 });
  });

  test("is left alone for five seconds, told of once, and told of when it is back", async () => {
    server.reply = () => ({ status: 500 });
    const directory = open();
    for (let count = 0; count < 50; count++)
      expect(await directory.prepare("5001", "192.0.2.1")).toBe("down");
    expect(server.requests).toHaveLength(1);
    clock.advance(5000);
    expect(await directory.prepare("5001", "192.0.2.1")).toBe("down");
    expect(lines).toHaveLength(1);
    clock.advance(5000);
    server.reply = () => agent;
    expect(await directory.prepare("5001", "192.0.2.1")).toBe("ready");
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      "the agents' directory gives no answer: known agents stay, new ones wait",
      "the agents' directory answers again",
    ]);
  });

  test.each([400, 410, 422])("is not taken to be down for refusing one DN (%i)", async (status) => {
    server.reply = ({ path }) => (path === "/agents/5001" ? agent : { status });
    const directory = open();
    expect(await directory.prepare("somebody", "198.51.100.9")).toBe("down");
    expect(await directory.prepare("5001", "192.0.2.1")).toBe("ready");
    expect(directory.counters).toMatchObject({ lookups: 2, failures: 1 });
    expect(lines).toHaveLength(1);
  });

  test("is waited for no longer than is configured", async () => {
    server.reply = () => "never";
    const directory = open();
    const slow = directory.prepare("5001", "192.0.2.1");
    await server.asked(1);
    clock.advance(3000);
    expect(await slow).toBe("down");
  });

  test("is believed for so long and no longer", async () => {
    const directory = open();
    await directory.prepare("5001", "192.0.2.1");
    server.reply = () => ({ status: 500 });
    clock.advance(300_000 + 3_600_000 - 1);
    expect(await directory.prepare("5001", "192.0.2.1")).toBe("ready");
    clock.advance(1);
    expect(await directory.prepare("5001", "192.0.2.1")).toBe("down");
  });

  test("keeps nothing waiting when the gateway ends", async () => {
    server.reply = () => "never";
    const directory = open();
    const waits = Array.from({ length: 30 }, async (_none, index) =>
      directory.prepare(`5${index}`, "192.0.2.1"),
    );
    await server.asked(16);
    directory.close();
    expect(new Set(await Promise.all(waits))).toEqual(new Set(["down"]));
    expect([clock.pendingTimers, lines]).toEqual([0, []]);
  });
});

describe("an answer that cannot be used", () => {
  test.each<[JsonReply, string]>([
    [{ text: "<html>" }, "object"],
    [{ json: [ha1] }, "object"],
    [{ json: { ha1: "s3cret" } }, "ha1"],
    [{ json: { ha1: 7 } }, "ha1"],
    [{ json: { ha1_sha256: ha1 } }, "ha1_sha256"],
    [{ json: { display_name: 'A" <sip:evil>' } }, "display_name"],
    [{ json: { trunk_password: "" } }, "trunk_password"],
  ])("%j is told with its key, and keeps nobody else out", async (reply, wrong) => {
    server.reply = ({ path }) => (path.endsWith("5001") ? reply : agent);
    const directory = open();
    expect(await directory.prepare("5001", "192.0.2.1")).toBe("down");
    expect(await directory.prepare("5002", "192.0.2.1")).toBe("ready");
    expect(lines.map((line) => (JSON.parse(line) as { wrong: string }).wrong)).toEqual([wrong]);
    expect(lines.join()).not.toContain("s3cret");
    for (let count = 0; count < 30; count++) await directory.prepare("5001", "192.0.2.1");
    expect(lines).toHaveLength(5);
  });

  test("null means that something is left out; without hashes an agent signs in by token", async () => {
    server.reply = () => ({ json: { ha1: null, display_name: null } });
    const directory = open();
    expect(await directory.prepare("5001", "192.0.2.1")).toBe("ready");
    expect(directory.find("5001")).toEqual({});
  });
});
