import { createHmac } from "node:crypto";
import { once } from "node:events";
import { SignJWT } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { Gateway } from "../../src/cli/index.ts";
import { configKeys } from "../../src/config/index.ts";
import { createLogger, logRooms, type RootLogger } from "../../src/core/index.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { browserSdp } from "../support/descriptions.ts";
import { TestAgent, type TestCall } from "../support/test-agent.ts";
import { openTestGateway, openTestSandbox, testConfig, testOrigin } from "../support/test-gateway.ts";
import { httpClientKeys } from "./support/reload-http-clients.ts";
import { until } from "./support/rtp-phone.ts";

const token = "0f".repeat(16);
const jwt = { issuer: "https://idp.test/", audience: "jackfield" };
type Sections = Readonly<Record<string, object>>;
/** Ports as the gateway has them: a reload must find them unchanged. */
const fixed: Sections = {
  media: { rtpPorts: [24_500, 24_599], maxCallsPerWorker: 3 },
  admin: { token },
  agents: { jwt: { ...jwt, secret: "first".repeat(8) } },
  wrtc: { enabled: true },
  endpoint: { enabled: true },
};
let sandbox: Sandbox;
let gateway: Gateway;
let log: RootLogger;
let sections: Sections = fixed;
const agents: TestAgent[] = [];

beforeAll(async () => {
  sandbox = await openTestSandbox({
    dns: ["5001-5099"],
    digest: { realm: "sandbox", password: (user) => `trunk-${user}`, methods: ["REGISTER"] },
  });
  log = createLogger("silent", { write() {} });
  const server = `127.0.0.1:${sandbox.port}`;
  const auth = { auth: { password: "trunk-{dn}" } };
  sections = { ...fixed, sipServer: auth };
  const source = { load: () => testConfig(server, sections), watchedFiles: [] };
  gateway = await openTestGateway({ sipServer: server, config: sections, source, log });
});
afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.signOut();
  await until("end of all calls", () => gateway.counts.calls === 0);
  with_({});
  expect(gateway.reload("test")).toMatchObject({ outcome: "applied" });
});
afterAll(async () => {
  await gateway.close();
  await sandbox.close();
});

function with_(more: Sections): void {
  const auth = { auth: { password: "trunk-{dn}" } };
  sections = { ...fixed, sipServer: auth };
  for (const [name, values] of Object.entries(more))
    sections = {
      ...sections,
      [name]: Array.isArray(values) ? values : { ...sections[name], ...values },
    };
}

/** Changes these keys, and nothing else, by a reload. */
function reload(more: Sections): void {
  with_(more);
  const result = gateway.reload("test");
  expect(result).toMatchObject({ outcome: "applied" });
}

const url = (): string => `ws://127.0.0.1:${gateway.httpPort}/ws`;
async function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return await fetch(`http://127.0.0.1:${gateway.httpPort}${path}`, { headers });
}
const settings = async (): Promise<unknown> => await (await get("/settings.json")).json();

async function signIn(
  dn: string,
  more: { password?: string; allowEvents?: string } = {},
): Promise<TestAgent> {
  const agent = await TestAgent.signIn({ url: url(), dn, allowEvents: "x-jackfield-trunk", ...more });
  agents.push(agent);
  return agent;
}
async function signInService(dn: string, more: { password?: string; allowEvents?: string } = {}) {
  const agent = await signIn(dn, more);
  await until(`${dn} in service`, () => sandbox.bindings().some((binding) => binding.dn === dn));
  return agent;
}

/** Opens a WebSocket; resolves with it, or with the status it was refused by. */
async function connect(origin: string | undefined): Promise<WebSocket | number> {
  const socket = new WebSocket(url(), "sip", origin === undefined ? {} : { origin });
  return await new Promise((resolve) => {
    socket.once("open", () => resolve(socket));
    socket.once("unexpected-response", (_request, { statusCode = 0 }) => {
      socket.terminate();
      resolve(statusCode);
    });
    socket.on("error", () => {});
  });
}
async function statusOf(origin: string | undefined): Promise<number> {
  const socket = await connect(origin);
  if (typeof socket === "number") return socket;
  socket.close();
  await once(socket, "close");
  return 101;
}

/** The last INVITE that SIP Server got. */
function inviteText(): string {
  const entries = sandbox
    .trace()
    .filter(({ direction, text }) => direction === "in" && text.startsWith("INVITE"));
  return entries.at(-1)?.text ?? "";
}
async function dialled(number: string, dn = "5001"): Promise<string> {
  const agent = agents.find((one) => one.dn === dn) ?? (await signInService(dn));
  const call = agent.call(number, browserSdp());
  const outcome = await Promise.race([call.when("answered"), call.when("failed")]);
  call.hangUp();
  return outcome;
}
async function rung(
  dn: string,
  headers: [string, string][] = [],
): Promise<{ agent: TestAgent; call: TestCall }> {
  const agent = await signInService(dn);
  const next = agent.nextCall();
  const uuid = await sandbox.ring(dn, "1003", { headers });
  const call = await next;
  hangUps.push(() => sandbox.hangUp(uuid));
  return { agent, call };
}
const hangUps: (() => void)[] = [];
afterEach(() => {
  for (const hangUp of hangUps.splice(0)) hangUp();
});

const turn = { urls: ["turn:turn.test"], secret: "turn".repeat(8) };
/** What the page of this DN is told when it signs in. */
async function turnOffer(dn: string): Promise<TurnOffer> {
  const agent = await signIn(dn, { allowEvents: "x-jackfield-turn" });
  await agent.whenEvent("x-jackfield-turn");
  return JSON.parse(agent.events.at(-1)?.body.toString() ?? "");
}
interface TurnOffer {
  readonly iceServers: readonly [{ readonly username: string; readonly credential: string }];
  readonly expires: number;
}

const gws = { url: "https://gws.example.com" };
async function gwsSetting(name: string): Promise<unknown> {
  const { gws: told }: { gws?: Record<string, unknown> } = JSON.parse(JSON.stringify(await settings()));
  return told?.[name];
}

/** Each key that a reload may change: a change of it, and how it is seen. */
const seen: Readonly<Record<string, () => Promise<void>>> = {
  async "websocket.origins"() {
    expect(await statusOf("https://new.example.com")).toBe(403);
    reload({ websocket: { origins: [testOrigin, "https://new.example.com"] } });
    expect(await statusOf("https://new.example.com")).toBe(101);
  },
  async "websocket.allowMissingOrigin"() {
    expect(await statusOf(undefined)).toBe(403);
    reload({ websocket: { allowMissingOrigin: true } });
    expect(await statusOf(undefined)).toBe(101);
  },
  async "websocket.pingSeconds"() {
    reload({ websocket: { pingSeconds: 1 } });
    const socket = await connect(testOrigin);
    if (typeof socket === "number") throw new Error("refused");
    await once(socket, "ping");
    socket.close();
  },
  async "websocket.maxMessageBytes"() {
    reload({ websocket: { maxMessageBytes: 4096 } });
    const socket = await connect(testOrigin);
    if (typeof socket === "number") throw new Error("refused");
    socket.send("x".repeat(5000));
    expect((await once(socket, "close"))[0]).toBe(1009);
  },
  async "websocket.maxConnections"() {
    const agent = await signIn("5001");
    reload({ websocket: { maxConnections: 1 } });
    expect(await statusOf(testOrigin)).toBe(503);
    expect(agent.flow?.open).toBe(true);
  },
  async "websocket.maxConnectionsPerAddress"() {
    await signIn("5001");
    reload({ websocket: { maxConnectionsPerAddress: 1 } });
    expect(await statusOf(testOrigin)).toBe(429);
  },
  async "media.whenFull"() {
    const agent = await signInService("5001");
    const calls = [1, 2].map(() => agent.call("9196", browserSdp()));
    await Promise.all(calls.map((call) => call.when("answered")));
    const other = await signInService("5002");
    const third = other.call("9196", browserSdp());
    await third.when("answered");
    const fourth = other.call("9196", browserSdp());
    expect(await fourth.when("failed")).toMatch(/^503/);
    reload({ media: { whenFull: 486 } });
    expect(await other.call("9196", browserSdp()).when("failed")).toMatch(/^486/);
    for (const call of [...calls, third]) call.hangUp();
  },
  async "media.browserCodecs"() {
    reload({ media: { browserCodecs: ["pcma"] } });
    expect(await dialled("9196")).toMatch(/m=audio \d+ UDP\/TLS\/RTP\/SAVPF 8\b/);
  },
  async "media.trunkCodecs"() {
    reload({ media: { trunkCodecs: ["pcma"] } });
    await dialled("9196");
    expect(inviteText()).toMatch(/m=audio \d+ RTP\/AVP 8 101/);
  },
  async "media.trunkSrtp"() {
    reload({ media: { trunkSrtp: "offer", allowKeysInClear: true } });
    await dialled("9196");
    expect(inviteText()).toContain("a=crypto:");
  },
  async "media.allowKeysInClear"() {
    with_({ media: { trunkSrtp: "offer" } });
    expect(gateway.reload("test")).toMatchObject({ outcome: "faulty" });
    reload({ media: { trunkSrtp: "offer", allowKeysInClear: true } });
  },
  async "agents.accounts"() {
    await expect(signIn("6001")).rejects.toThrow("403");
    reload({ agents: { accounts: [{ dn: "6001", password: "a new secret" }] } });
    await signIn("6001", { password: "a new secret" });
  },
  async "agents.ranges"() {
    const before = await signIn("5002");
    reload({ agents: { ranges: [{ from: "5001", to: "5001", password: "another secret" }] } });
    await signIn("5001", { password: "another secret" });
    // Who is gone finds out with the next REGISTER, and keeps the connection until then.
    expect(before.flow?.open).toBe(true);
    expect(await before.register()).toBe(403);
  },
  async "agents.autoAnswer"() {
    reload({ agents: { autoAnswer: "always" } });
    const agent = await signInService("5001", { allowEvents: "talk" });
    const uuid = await sandbox.ring("5001", "1003");
    hangUps.push(() => sandbox.hangUp(uuid));
    await agent.whenEvent("talk");
  },
  async "agents.pageRingback"() {
    reload({ agents: { pageRingback: false } });
    const events = async (dn: string): Promise<string[]> => {
      const agent = await signInService(dn, { allowEvents: "talk, x-jackfield-call" });
      const next = agent.nextCall();
      const uuid = await sandbox.makeCall(dn, "9199");
      const call = await next;
      await agent.whenEvent("talk");
      call.answer(browserSdp({ setup: "active" }));
      await until("far side rings", () => sandbox.calls().some((one) => one.uuid === uuid));
      await call.when("acknowledged").catch(() => "");
      hangUps.push(() => sandbox.hangUp(uuid));
      return agent.events.map(({ headers, body }) => `${headers.get("Event")} ${body.toString()}`);
    };
    reload({ agents: { pageRingback: true } });
    await events("5002");
    const [agent] = agents;
    await agent?.whenEvent("x-jackfield-call", '"ringing"');
  },
  async "agents.jwt.secret"() {
    const ask = async (secret: string): Promise<number> => {
      const bearer = await new SignJWT({ dn: "5001" })
        .setProtectedHeader({ alg: "HS256" })
        .setIssuer(jwt.issuer)
        .setAudience(jwt.audience)
        .setExpirationTime("1 min")
        .sign(Buffer.from(secret));
      const answer = await fetch(`http://127.0.0.1:${gateway.httpPort}/api/sign-in`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ token: bearer }),
      });
      return answer.status;
    };
    const [first, second] = ["first".repeat(8), "second".repeat(8)];
    expect([await ask(first), await ask(second)]).toEqual([200, 401]);
    reload({ agents: { jwt: { ...jwt, secret: second } } });
    expect([await ask(first), await ask(second)]).toEqual([401, 200]);
  },
  async "turn.urls"() {
    const agent = await signIn("5001", { allowEvents: "x-jackfield-turn" });
    reload({ turn: { ...turn, urls: ["turn:other.test"] } });
    await agent.whenEvent("x-jackfield-turn", "turn:other.test");
    // Everybody is told when there is none any more, too.
    reload({});
    await agent.whenEvent("x-jackfield-turn", '"iceServers":[]');
  },
  async "turn.secret"() {
    reload({ turn: { ...turn, secret: "another".repeat(4) } });
    const {
      iceServers: [{ username, credential }],
    } = await turnOffer("5001");
    const made = createHmac("sha1", "another".repeat(4)).update(username).digest("base64");
    expect(credential).toBe(made);
  },
  async "turn.lifetimeSeconds"() {
    reload({ turn: { ...turn, lifetimeSeconds: 60 } });
    const { expires } = await turnOffer("5001");
    expect(expires - Date.now() / 1000).toBeLessThan(61);
  },
  async "turn.policy"() {
    reload({ turn: { ...turn, policy: "relay" } });
    expect(await turnOffer("5001")).toMatchObject({ iceTransportPolicy: "relay" });
  },
  async clients() {
    reload({ clients: [{ match: "Jackfield test*", answerBy: "preanswer" }] });
    const { call } = await rung("5001");
    expect(call.incoming?.request.headers.get("Call-Info")).toContain("answer-after=0");
  },
  async "calls.headersToPage"() {
    const { call } = await rung("5001", [["X-Site", "north"]]);
    expect(call.incoming?.request.headers.get("X-Site")).toBeUndefined();
    reload({ calls: { headersToPage: ["X-Site"] } });
    const second = await rung("5002", [["X-Site", "north"]]);
    expect(second.call.incoming?.request.headers.get("X-Site")).toBe("north");
  },
  async "calls.preanswerSeconds"() {
    reload({ calls: { preanswerSeconds: 1 }, clients: [{ match: "*", answerBy: "preanswer" }] });
    const { agent } = await rung("5001");
    // Rung anew, for a person, once the second is over.
    const again = await agent.nextCall();
    expect(again.incoming?.request.headers.get("Call-Info") ?? "").not.toContain("answer-after");
  },
  async "calls.outbound.rules"() {
    reload({ calls: { outbound: { rules: [{ match: "9196", action: "deny" }] } } });
    expect(await dialled("9196")).toMatch(/^403/);
  },
  async "calls.outbound.identity"() {
    reload({ calls: { outbound: { identity: "asserted" } } });
    await dialled("9196");
    expect(inviteText()).toContain("P-Asserted-Identity:");
  },
  async "calls.outbound.privacy"() {
    reload({ calls: { outbound: { privacy: "always" } } });
    await dialled("9196");
    expect(inviteText()).toContain("Privacy: id");
  },
  async "calls.outbound.privacyPrefix"() {
    reload({ calls: { outbound: { privacyPrefix: "*31" } } });
    await dialled("*319196");
    expect(inviteText()).toMatch(/^INVITE sip:9196@[^]*Privacy: id/);
  },
  async "sipServer.auth.password"() {
    reload({ sipServer: { auth: { password: "wrong" } } });
    const agent = await signIn("5010");
    await agent.whenEvent("x-jackfield-trunk", '"rejected"');
    reload({});
    await signInService("5011");
  },
  async "sipServer.auth.username"() {
    reload({ sipServer: { auth: { username: "5012", password: "trunk-5012" } } });
    await signInService("5013");
    const texts = sandbox.trace().map(({ text }) => text);
    expect(texts.some((text) => text.includes("sip:5013@") && text.includes('username="5012"'))).toBe(true);
  },
  async "page.mode"() {
    reload({ page: { mode: "audio" } });
    expect(await settings()).toMatchObject({ mode: "audio" });
  },
  async "page.embedding.origins"() {
    reload({ page: { embedding: { origins: ["https://wwe.example.com"] } } });
    expect(await settings()).toMatchObject({ embedding: { origins: ["https://wwe.example.com"] } });
  },
  async "page.workspaceOptions"() {
    reload({ page: { workspaceOptions: { "policy.session.agc_mode": "1" } } });
    expect(await settings()).toMatchObject({ workspace_options: { "policy.session.agc_mode": "1" } });
  },
  async "page.allowPasswordInUrl"() {
    reload({ page: { allowPasswordInUrl: true } });
    expect(await settings()).toMatchObject({ sign_in: { password_in_url: true } });
  },
  async "gws.url"() {
    reload({ gws });
    expect(await gwsSetting("url")).toBe("https://gws.example.com");
  },
  async "gws.allowInsecure"() {
    with_({ gws: { url: "http://gws.example.com" } });
    expect(gateway.reload("test")).toMatchObject({ outcome: "faulty" });
    reload({ gws: { url: "http://gws.example.com", allowInsecure: true } });
    expect(await gwsSetting("url")).toBe("http://gws.example.com");
  },
  async "gws.apiPath"() {
    reload({ gws: { ...gws, apiPath: "/other/api" } });
    expect(await gwsSetting("api")).toBe("/other/api");
  },
  async "gws.cometdPath"() {
    reload({ gws: { ...gws, cometdPath: "/other/cometd" } });
    expect(await gwsSetting("cometd")).toBe("/other/cometd");
  },
  async "gws.channels"() {
    reload({ gws: { ...gws, channels: ["voice"] } });
    expect(await gwsSetting("channels")).toEqual(["voice"]);
  },
  async "gws.transports"() {
    reload({ gws: { ...gws, transports: ["long-polling"] } });
    expect(await gwsSetting("transports")).toEqual(["long-polling"]);
  },
  async "gws.callControl"() {
    reload({ gws: { ...gws, callControl: "sip" } });
    expect(await gwsSetting("call_control")).toBe("sip");
  },
  async "gws.states"() {
    reload({ gws: { ...gws, states: ["Ready"] } });
    expect(await gwsSetting("states")).toEqual(["Ready"]);
  },
  async "gws.dtmfField"() {
    reload({ gws: { ...gws, dtmfField: "dtmfDigits" } });
    expect(await gwsSetting("dtmf_field")).toBe("dtmfDigits");
  },
  async "gws.keepAliveSeconds"() {
    reload({ gws: { ...gws, keepAliveSeconds: 77 } });
    expect(await gwsSetting("keep_alive_seconds")).toBe(77);
  },
  async "admin.token"() {
    const ask = async (bearer: string): Promise<number> =>
      (await get("/api/me", { authorization: `Bearer ${bearer}` })).status;
    expect(await ask(token)).toBe(200);
    const other = "e1".repeat(16);
    reload({ admin: { token: other } });
    expect([await ask(other), await ask(token)]).toEqual([200, 401]);
  },
  async "admin.users"() {
    const user = { name: "anna", role: "read", password: "anna's long horse" };
    reload({ admin: { users: [user] } });
    const answer = await fetch(`http://127.0.0.1:${gateway.httpPort}/api/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: user.name, password: user.password }),
    });
    expect(answer.status).toBe(200);
    const cookie = answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    expect((await get("/api/me", { cookie })).status).toBe(200);
    // Who stays as he is stays signed in; who goes does not.
    reload({ admin: { users: [user, { ...user, name: "bernd" }] } });
    expect((await get("/api/me", { cookie })).status).toBe(200);
    reload({ admin: { users: [{ ...user, name: "bernd" }] } });
    expect((await get("/api/me", { cookie })).status).toBe(401);
  },
  async "shutdown.drainSeconds"() {
    await signIn("5001");
    reload({ shutdown: { drainSeconds: 77 } });
    expect(gateway.config.shutdown.drainSeconds).toBe(77);
  },
  async "log.level"() {
    reload({ log: { level: "fatal" } });
    expect(log.levels.general.level).toBe("fatal");
  },
  ...Object.fromEntries(
    logRooms.map((room) => [
      `log.rooms.${room}`,
      async (): Promise<void> => {
        expect(log.levels.allows(20, room)).toBe(false);
        reload({ log: { rooms: { [room]: "debug" } } });
        expect(log.levels.allows(20, room)).toBe(true);
      },
    ]),
  ),
};

Object.assign(
  seen,
  httpClientKeys({
    gateway: () => gateway,
    reload,
    adminToken: token,
    sipServer: () => `127.0.0.1:${sandbox.port}`,
  }),
);

/** Shown elsewhere: where it is. */
const elsewhere: Readonly<Record<string, string>> = {
  "http.tls": "test/interop/reload.test.ts",
  "http.tls.cert": "test/interop/reload.test.ts",
  "http.tls.key": "test/interop/reload.test.ts",
  "agents.jwt.secretFile": "read into agents.jwt.secret",
  "agents.jwt.publicKeyFile": "test/config/watched-files.test.ts, test/registrar/jwt/jwt-login.test.ts",
  "turn.secretFile": "read into turn.secret",
  "records.webhook.secret": "test/records/webhook.test.ts",
  "records.webhook.secretFile": "read into records.webhook.secret",
  "records.webhook.ca": "test/records/webhook.test.ts",
  "sipServer.auth.passwordFile": "read into sipServer.auth.password",
  "admin.tokenFile": "read into admin.token",
  "wrtc.waitSeconds": "test/cli/onlookers/wrtc-terms.test.ts",
  "wrtc.expirySeconds": "test/cli/onlookers/wrtc-terms.test.ts",
  "wrtc.sessionHours": "test/cli/onlookers/wrtc-terms.test.ts",
};

describe("a reload", () => {
  for (const [key, see] of Object.entries(seen)) it(`puts a change of ${key} in force`, see);

  it("has a test for each key that it may change", () => {
    // Entries of a list change with the list.
    const keys = configKeys().filter(({ reload: may }) => may);
    const whole = new Set(keys.map(({ key }) => key.replace(/\[\].*$/, "")));
    expect(Array.from(whole).sort()).toEqual([...Object.keys(seen), ...Object.keys(elsewhere)].sort());
  });
});
