import { fastify, type FastifyInstance } from "fastify";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  AuditLog,
  hashPassword,
  registerCallRoutes,
  registerLoginRoutes,
  type CallsDoor,
  type Login,
} from "../../src/admin/index.ts";
import { scryptText } from "../../src/config/index.ts";
import { createLogger, systemRandom } from "../../src/core/index.ts";
import { CountingRandom } from "../support/counting-random.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { adminToken, openLogin } from "./support.ts";

const host = "gateway.example.com";
const ours = `http://${host}`;
const json = { host, "content-type": "application/json", origin: ours };
const minutes = 60_000;
const hours = 60 * minutes;
const calls: CallsDoor = {
  calls: () => [],
  captureCall: () => Promise.resolve(undefined),
  captureOf: () => undefined,
};

let app: FastifyInstance;
let clock: FakeClock;
let login: Login;
let lines: string[];
let berndsHash = "";

beforeAll(async () => {
  // Cheap, since the cost is not what is tested.
  berndsHash = await hashPassword("bernd's horse", systemRandom, { ln: 10, r: 1, p: 1 });
});

function open(options: { secure?: boolean; passwordsOnly?: boolean } = {}): void {
  app = fastify();
  clock = new FakeClock();
  lines = [];
  const log = createLogger("debug", { write: (line) => void lines.push(line) });
  const random = new CountingRandom();
  const users = [
    { name: "anna", role: "operate" as const, password: "anna's horse" },
    { name: "bernd", role: "read" as const, passwordHash: berndsHash },
  ];
  login = openLogin(clock, { users, log, secure: options.secure ?? false });
  registerLoginRoutes(app, { login, clock, random, log });
  registerCallRoutes(app, { login, calls, audits: new AuditLog(clock, log), clock, log });
  app.get("/stream", { onRequest: login.check }, (request) => {
    const before = login.holds(request);
    login.sessions.end(cookiesOf(request.headers.cookie)["jackfield-admin"] ?? "");
    return { before, after: login.holds(request), identity: login.identity(request) };
  });
}
beforeEach(() => open());
afterEach(() => app.close());

function cookiesOf(text: unknown): Record<string, string> {
  const all = (Array.isArray(text) ? text : [text ?? ""]).flatMap((one) => String(one).split("; "));
  return Object.fromEntries(all.map((part) => part.split("=", 2)));
}

interface More {
  headers?: Record<string, string>;
  body?: unknown;
  remoteAddress?: string;
}

async function ask(method: "GET" | "POST" | "DELETE", url: string, more: More = {}) {
  const { body, headers = {}, ...rest } = more;
  const payload = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
  const response = await app.inject({ method, url, headers: { host, ...headers }, ...payload, ...rest });
  const text: unknown = response.body === "" ? undefined : JSON.parse(response.body);
  return { status: response.statusCode, body: text, headers: response.headers };
}

function signIn(name: string, password: string, more: More = {}) {
  const headers = { ...json, ...more.headers };
  return ask("POST", "/api/login", { ...more, headers, body: { name, password } });
}

/** Cookie header of a browser that has signed in. */
async function cookie(name = "anna", password = "anna's horse"): Promise<string> {
  const { status, headers } = await signIn(name, password);
  expect(status).toBe(200);
  return cookieFrom(headers["set-cookie"]);
}

function cookieFrom(header: unknown): string {
  return (Array.isArray(header) ? header : [header]).map((one) => String(one).split(";")[0]).join("; ");
}

const me = (cookieText: string) => ask("GET", "/api/me", { headers: { cookie: cookieText } });
const capture = (headers: Record<string, string>) =>
  ask("POST", "/api/calls/c1/capture", { headers: { ...json, ...headers }, body: {} });

describe("signing in at the dashboard", () => {
  it("takes plain and hashed passwords, and tells name and role", async () => {
    expect(await signIn("anna", "anna's horse")).toMatchObject({
      status: 200,
      body: { name: "anna", role: "operate" },
    });
    const bernd = await cookie("bernd", "bernd's horse");
    expect(await me(bernd)).toMatchObject({ status: 200, body: { name: "bernd", role: "read" } });
  });

  it("tells a page who is signed in, or nobody, and refuses and counts nothing", async () => {
    const told: unknown[] = [];
    login.events.on("refused", (...refusal) => void told.push(refusal));
    const session = (headers: Record<string, string>) => ask("GET", "/api/session", { headers });
    const nobody = { status: 200, body: { user: null } };
    expect(await session({})).toMatchObject(nobody);
    expect(await session({ cookie: "jackfield-admin=0123" })).toMatchObject(nobody);
    expect(await session({ authorization: "Bearer wrong" })).toMatchObject(nobody);
    expect(await session({ cookie: await cookie() })).toMatchObject({
      body: { user: { name: "anna", role: "operate" } },
    });
    expect(told).toEqual([]);
  });

  it("takes the admin token as the password of the name token", async () => {
    const cookieText = await cookie("token", adminToken);
    expect(await me(cookieText)).toMatchObject({ body: { name: "token", role: "operate" } });
    expect((await signIn("token", `${adminToken}x`)).status).toBe(401);
  });

  it("tells who watches each one that is refused, by address and never by what was typed", async () => {
    const told: unknown[] = [];
    login.events.on("refused", (...refusal) => void told.push(refusal));
    for (let count = 0; count < 6; count++) await signIn("anna", "secret");
    await ask("GET", "/api/me", { headers: { authorization: "Bearer wrong" } });
    await ask("GET", "/api/me");
    expect(told).toEqual([
      ...Array.from({ length: 5 }, () => ["127.0.0.1", 401, "wrong name or password"]),
      ["127.0.0.1", 429, "too many wrong passwords before"],
      ["127.0.0.1", 401, "wrong token"],
    ]);
  });

  it("is refused with one answer for a wrong name, a wrong password and somebody else's password", async () => {
    const tries = [
      ["anna", "wrong"],
      ["nobody", "anna's horse"],
      ["bernd", "anna's horse"],
      ["anna", ""],
      ["bernd", ""],
      ["nobody", ""],
      ["__proto__", "x"],
      ["anna", berndsHash],
      ["bernd", berndsHash],
    ] as const;
    for (const [name, password] of tries)
      expect(await signIn(name, password, { remoteAddress: `192.0.2.${name.length}` })).toMatchObject({
        status: 401,
        body: { error: "wrong name or password" },
      });
  });

  it.each([null, 7, [], "x", {}, { name: "anna" }, { name: ["anna"], password: "anna's horse" }])(
    "is refused with 400 for the body %j",
    async (body) => {
      expect((await ask("POST", "/api/login", { headers: json, body: JSON.stringify(body) })).status).toBe(
        400,
      );
    },
  );

  it("is refused to forms and pages of others, before the password is looked at", async () => {
    const body = JSON.stringify({ name: "anna", password: "anna's horse" });
    for (const origin of ["https://evil.example", "null", `${ours}:8443`, `${ours}.evil.example`])
      expect((await ask("POST", "/api/login", { headers: { ...json, origin }, body })).status).toBe(403);
    const form = { ...json, "content-type": "text/plain" };
    expect((await ask("POST", "/api/login", { headers: form, body })).status).toBe(415);
  });

  it("sets a cookie that no script reads and no foreign page sends, with TLS by TLS alone", async () => {
    const [plain] = [(await signIn("anna", "anna's horse")).headers["set-cookie"]].flat();
    expect(plain).toMatch(/^jackfield-admin=[\da-f]{64}; Path=\/; HttpOnly; SameSite=Strict$/);
    const proxied = await signIn("anna", "anna's horse", { headers: { origin: `https://${host}` } });
    expect([proxied.headers["set-cookie"]].flat()[0]).toMatch(/; Secure$/);
    open({ secure: true });
    expect((await signIn("anna", "anna's horse")).status).toBe(403);
    const secure = await signIn("anna", "anna's horse", { headers: { origin: `https://${host}` } });
    expect([secure.headers["set-cookie"]].flat()[0]).toMatch(/^__Host-jackfield-admin=.*; Secure$/);
  });

  it("writes names and addresses to the log, never a password or a session's id", async () => {
    const cookieText = await cookie();
    await signIn("anna", "anna's mule");
    const log = lines.join("\n");
    expect(log).toContain('"who":"anna"');
    expect(log).not.toMatch(/horse|mule/);
    expect(log).not.toContain(cookiesOf(cookieText)["jackfield-admin"]);
  });
});

describe("a session", () => {
  it("ends by sign-out, for streams that run too", async () => {
    const cookieText = await cookie();
    expect((await me(cookieText)).status).toBe(200);
    const out = await ask("POST", "/api/logout", { headers: { ...json, cookie: cookieText }, body: {} });
    expect([out.status, out.headers["set-cookie"]]).toEqual([204, expect.stringContaining("Max-Age=0")]);
    expect((await me(cookieText)).status).toBe(401);
    const stream = await ask("GET", "/stream", { headers: { cookie: await cookie() } });
    expect(stream.body).toEqual({
      before: true,
      after: false,
      identity: { who: "anna", role: "operate" },
    });
  });

  it("ends after an hour without a request, and after twelve hours in any case", async () => {
    const idle = await cookie();
    clock.advance(59 * minutes);
    expect((await me(idle)).status).toBe(200);
    clock.advance(60 * minutes);
    expect((await me(idle)).status).toBe(401);
    const busy = await cookie();
    for (let half = 1; half < 24; half++) {
      clock.advance(0.5 * hours);
      expect([half, (await me(busy)).status]).toEqual([half, 200]);
    }
    clock.advance(0.5 * hours);
    expect((await me(busy)).status).toBe(401);
    expect(login.sessions.size).toBe(0);
  });

  it("never has an id that came from outside, nor goes on under the one before", async () => {
    const planted = "a".repeat(64);
    const headers = { ...json, cookie: `jackfield-admin=${planted}` };
    const { headers: answer } = await signIn("anna", "anna's horse", { headers });
    expect(String(answer["set-cookie"])).not.toContain(planted);
    expect((await me(`jackfield-admin=${planted}`)).status).toBe(401);
    const former = await cookie();
    await signIn("anna", "anna's horse", { headers: { cookie: former } });
    expect((await me(former)).status).toBe(401);
  });

  it("is not had by a forged cookie", async () => {
    const right = cookiesOf(await cookie())["jackfield-admin"] ?? "";
    const wrong = `${right.slice(0, -1)}${right.endsWith("0") ? "1" : "0"}`;
    for (const value of [wrong, right.toUpperCase(), `${right} `.slice(1), "", "__proto__", `"${right}"`])
      expect([value, (await me(`jackfield-admin=${value}`)).status]).toEqual([value, 401]);
    expect((await me(`other=1; jackfield-admin=${right}; x`)).status).toBe(200);
  });

  it("makes room for new ones by ending the one used longest ago", async () => {
    const oldest = await cookie();
    const second = await cookie();
    expect((await me(oldest)).status).toBe(200);
    for (let more = 0; more < 499; more++) login.sessions.begin({ who: "anna", role: "read" });
    expect(login.sessions.size).toBe(500);
    expect((await me(second)).status).toBe(401);
    expect((await me(oldest)).status).toBe(200);
  });
});

describe("roles", () => {
  it("read sees and may not act, operate may", async () => {
    const bernd = await cookie("bernd", "bernd's horse");
    expect((await ask("GET", "/api/calls", { headers: { cookie: bernd } })).status).toBe(200);
    expect(await capture({ cookie: bernd })).toMatchObject({
      status: 403,
      body: { error: expect.stringContaining("operate") },
    });
    const stop = { headers: { ...json, cookie: bernd }, body: {} };
    expect((await ask("DELETE", "/api/calls/c1/capture", stop)).status).toBe(403);
    // 404: it got as far as to look for the call.
    expect((await capture({ cookie: await cookie() })).status).toBe(404);
  });

  it("are not raised by what the browser says, nor by a wrong token beside the cookie", async () => {
    const bernd = await cookie("bernd", "bernd's horse");
    const more = { cookie: `${bernd}; role=operate`, "x-role": "operate", "x-forwarded-user": "anna" };
    expect((await capture(more)).status).toBe(403);
    expect((await capture({ cookie: bernd, authorization: "Bearer wrong" })).status).toBe(401);
  });
});

describe("acts", () => {
  it("come from our own pages only, when a cookie asks for them", async () => {
    const anna = { cookie: await cookie() };
    for (const origin of ["https://evil.example", "null", `http://${host}:81`, `http://x.${host}`])
      expect([origin, (await capture({ ...anna, origin })).status]).toEqual([origin, 403]);
    const { origin: _left, ...without } = json;
    const silent = { headers: { ...without, ...anna }, body: {} };
    expect((await ask("POST", "/api/calls/c1/capture", silent)).status).toBe(403);
    const form = { headers: { ...json, ...anna, "content-type": "text/plain" }, body: "{}" };
    expect((await ask("POST", "/api/calls/c1/capture", form)).status).toBe(415);
    expect((await ask("DELETE", "/api/calls/c1/capture", form)).status).toBe(415);
  });

  it("need no origin with the token, which no browser sends by itself, but no foreign one either", async () => {
    const authorization = `Bearer ${adminToken}`;
    const { origin: _left, ...without } = json;
    const more = { headers: { ...without, authorization }, body: {} };
    expect((await ask("POST", "/api/calls/c1/capture", more)).status).toBe(404);
    expect((await capture({ authorization, origin: "https://evil.example" })).status).toBe(403);
  });
});

describe("guessing passwords", () => {
  const guess = (name: string, remoteAddress = "192.0.2.7", headers = {}) =>
    signIn(name, "wrong", { remoteAddress, headers });

  it("ends after five from one address for one name, and begins again one by one", async () => {
    for (let attempt = 0; attempt < 5; attempt++) expect((await guess("anna")).status).toBe(401);
    const refused = await signIn("anna", "anna's horse", { remoteAddress: "192.0.2.7" });
    expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "20"]);
    expect((await signIn("anna", "anna's horse", { remoteAddress: "192.0.2.8" })).status).toBe(200);
    clock.advance(20_000);
    expect((await guess("anna")).status).toBe(401);
    expect((await guess("anna")).status).toBe(429);
    clock.advance(20_000);
    expect((await signIn("anna", "anna's horse", { remoteAddress: "192.0.2.7" })).status).toBe(200);
  });

  it("ends after twenty from one address, whatever the names, and at one name, whatever the addresses", async () => {
    for (let attempt = 0; attempt < 20; attempt++) expect((await guess(`name${attempt}`)).status).toBe(401);
    expect((await guess("bernd")).status).toBe(429);
    for (let attempt = 0; attempt < 20; attempt++)
      expect((await guess("bernd", `10.0.0.${attempt}`)).status).toBe(401);
    expect((await guess("bernd", "10.0.1.1")).status).toBe(429);
  });

  it("ends after a hundred from everywhere, whatever the names, but not for browsers known", async () => {
    const before = await cookie();
    let stranger = 0;
    const next = () => guess(`name${stranger}`, `10.1.0.${stranger++}`);
    for (let attempt = 0; attempt < 100; attempt++) expect((await next()).status).toBe(401);
    expect((await next()).status).toBe(429);
    const known = { cookie: before };
    expect((await signIn("anna", "anna's horse", { headers: known })).status).toBe(200);
    clock.advance(20_000);
    expect((await next()).status).toBe(401);
  });

  it("is not made free by a right password of one's own in between", async () => {
    for (let attempt = 0; attempt < 20; attempt++) {
      await guess(`name${attempt}`);
      if (attempt % 4 === 0) await signIn("bernd", "bernd's horse", { remoteAddress: "192.0.2.7" });
    }
    expect((await guess("anna")).status).toBe(429);
  });

  it("many at a time gets no further", async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => guess("bernd")));
    expect(answers.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(5);
  });

  it("shuts out neither a browser that signed in before, nor the token, nor who is signed in", async () => {
    const { headers } = await signIn("anna", "anna's horse", { remoteAddress: "192.0.2.7" });
    const before = cookieFrom(headers["set-cookie"]);
    const known = before.split("; ").find((part) => part.includes("known")) ?? "";
    for (let attempt = 0; attempt < 30; attempt++) await guess("anna", `10.0.0.${attempt}`);
    for (let attempt = 0; attempt < 30; attempt++) await guess("anna");
    expect((await guess("anna")).status).toBe(429);
    const again = { remoteAddress: "192.0.2.7", headers: { cookie: known } };
    expect((await signIn("anna", "anna's horse", again)).status).toBe(200);
    expect((await signIn("token", adminToken, { remoteAddress: "192.0.2.7" })).status).toBe(200);
    expect((await me(before)).status).toBe(200);
    // The mark opens nothing, is its own name's alone, and has guesses of its own that end.
    expect((await me(known)).status).toBe(401);
    expect((await guess("bernd", "10.0.0.99", { cookie: known })).status).toBe(401);
    for (let attempt = 0; attempt < 5; attempt++)
      expect((await guess("anna", "192.0.2.7", { cookie: known })).status).toBe(401);
    expect((await guess("anna", "192.0.2.7", { cookie: known })).status).toBe(429);
    const forged = known.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    expect((await signIn("anna", "anna's horse", { ...again, headers: { cookie: forged } })).status).toBe(
      429,
    );
  });
});

describe("password hashes", () => {
  it("are what the configuration takes, each with a salt of its own", async () => {
    const [one, other] = await Promise.all([1, 2].map(() => hashPassword("p", systemRandom)));
    expect(one).toMatch(scryptText);
    expect(one).not.toBe(other);
  });
});
