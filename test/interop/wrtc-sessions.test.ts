import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Gateway } from "../../src/cli/index.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { openTestGateway, openTestSandbox, testPassword } from "../support/test-gateway.ts";
import { ask, until, type Answer, type AskOptions } from "../wrtc/http/support.ts";

const page = "https://agents.example.com";
let sandbox: Sandbox;
let gateway: Gateway;

beforeAll(async () => {
  sandbox = await openTestSandbox();
  gateway = await open();
});
afterAll(async () => {
  await gateway.close();
  await sandbox.close();
});

function open(sipServer = `127.0.0.1:${sandbox.port}`): Promise<Gateway> {
  const wrtc = { enabled: true, origins: [page] };
  return openTestGateway({ sipServer, config: { wrtc, admin: { token: "0123456789abcdef0123" } } });
}

const at = (path: string, options: AskOptions = {}): Promise<Answer> =>
  ask(gateway.httpPort, `/wrtc/${path}`, { origin: page, ...options });
const registered = (): string[] => sandbox.bindings().map(({ dn }) => dn);

async function signIn(dn: string): Promise<string> {
  const { status, body } = await at("sign_in", { body: `${dn}:${testPassword(dn)}` });
  expect([status, body.startsWith("id=_")]).toEqual([200, true]);
  return body.trim().slice("id=".length);
}

/** A poll that hangs there. */
async function parked(ssid: string, dn: string): Promise<{ readonly poll: Promise<Answer> }> {
  const addressOf = (): string | undefined => gateway.registrar.list().find((one) => one.dn === dn)?.address;
  const before = addressOf();
  const poll = at(`wait?id=${ssid}`);
  // It comes by a connection of its own.
  await until(() => addressOf() !== before);
  return { poll };
}

// One gateway for all of them; the last two tests close theirs.
describe("a client that signs in by HTTP", () => {
  it("is registered at SIP Server by the time it is told so, stands in the list, and goes with its sign_out", async () => {
    const ssid = await signIn("5001");
    expect(registered()).toEqual(["5001"]);
    expect(gateway.registrar.list()).toMatchObject([{ dn: "5001", reachable: true }]);
    expect(JSON.stringify(gateway.registrar.list())).not.toContain(ssid);
    const poll = at(`wait?id=${ssid}`);
    const next = await signIn("5001");
    await at(`sign_out?id=${ssid}`);
    expect(await poll).toMatchObject({ status: 200, body: "" });
    // The late sign_out of the session before is none of the DN's.
    expect(registered()).toEqual(["5001"]);
    await at(`sign_out?id=${next}`);
    await until(() => registered().length === 0);
    expect(gateway.registrar.size).toBe(0);
  });

  it("with a wrong password gets 403, is counted, and is shut out in the end", async () => {
    const statuses: number[] = [];
    for (let index = 0; index < 11; index++)
      statuses.push((await at("sign_in", { body: "5003:wrong" })).status);
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 403), 429]);
    expect((await at("sign_in", { body: `5003:${testPassword("5003")}` })).status).toBe(429);
    expect(registered()).toEqual([]);
    await at(`sign_out?id=${await signIn("5001")}`);
    await until(() => registered().length === 0);
  });

  it("is refused where SIP Server does not know the DN", async () => {
    const { status, body } = await at("sign_in", { body: `5100:${testPassword("5100")}` });
    expect([status, body]).toEqual([403, expect.stringContaining("404") as string]);
    expect(gateway.registrar.size).toBe(0);
  });

  it("is signed out by an administrator, and its SSID with it", async () => {
    const ssid = await signIn("5001");
    const { poll } = await parked(ssid, "5001");
    expect(gateway.registrar.signOut("5001", "signed out by an administrator")).toHaveLength(1);
    expect((await poll).status).toBe(200);
    expect((await at(`wait?id=${ssid}`)).status).toBe(404);
    await until(() => registered().length === 0);
  });

  it("stands in the metrics", async () => {
    const ssid = await signIn("5001");
    const figures = async (): Promise<string> =>
      (await ask(gateway.httpPort, "/metrics", { headers: { authorization: "Bearer 0123456789abcdef0123" } }))
        .body;
    const text = await figures();
    expect(text).toMatch(/^jackfield_wrtc_sessions 1$/m);
    expect(text).toMatch(/^jackfield_wrtc_session_events_total\{event="opened"\} [1-9]/m);
    expect(text).not.toContain(ssid);
    await at(`sign_out?id=${ssid}`);
    await until(() => registered().length === 0);
  });

  it("outlives a restart: its next poll registers the DN again, and tells it that no call is left", async () => {
    const ssid = await signIn("5001");
    const { poll } = await parked(ssid, "5001");
    await gateway.close();
    expect((await poll).status).toBe(503);
    expect(registered()).toEqual([]);
    gateway = await open();
    expect(await at(`wait?id=${ssid}`)).toMatchObject({ status: 200, body: "BYE" });
    await until(() => registered().length === 1);
    await at(`sign_out?id=${ssid}`);
    await until(() => registered().length === 0);
  });

  it("is moved by a drain: its DN is let go, its poll gets 503, and the gateway closes", async () => {
    const ssid = await signIn("5001");
    const { poll } = await parked(ssid, "5001");
    gateway.drain.begin({ exit: { seconds: 30 } });
    expect((await at("sign_in", { body: `5002:${testPassword("5002")}` })).status).toBe(503);
    expect((await poll).status).toBe(503);
    expect(registered()).toEqual([]);
    await gateway.closed;
  });
});
