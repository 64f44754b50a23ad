import { expect, it } from "vitest";
import { keepingLog, openBench, TestPage, wweOrigin } from "./support.ts";

const json = { "content-type": "application/json" };
const register = JSON.stringify({ addresses: ["192.0.2.10:5060"], users: ["5001"] });

async function openDoor(options: Parameters<typeof openBench>[0] = {}) {
  const log = keepingLog();
  const bench = await openBench({ log, ...options });
  const { token, id } = bench.tokens.issueAgent("5001");
  return {
    ...bench,
    token,
    id,
    log,
    path: `/endpoint/${token}/RegisterDn`,
    state: () => bench.sessions.find("5001")?.state,
  };
}

it("a form of any site, which needs no preflight, does nothing", async () => {
  const { send, path, state, desk } = await openDoor();
  for (const type of [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "",
  ]) {
    const headers = { origin: wweOrigin, ...(type === "" ? {} : { "content-type": type }) };
    expect((await send("POST", path, headers, register)).status, type).toBe(415);
  }
  expect(state()).toBeUndefined();
  expect(desk.counters.refused.type).toBe(5);
});

it("a page of another origin is refused, JSON or not, and gets no CORS headers, upon a preflight neither", async () => {
  const { send, path, state } = await openDoor();
  for (const origin of [
    "https://evil.example",
    "null",
    "http://wwe.example.com",
    "https://wwe.example.com:8090",
  ]) {
    for (const [method, body] of [["POST", register], ["GET"], ["OPTIONS"]] as const) {
      const { status, headers } = await send(method, path, { ...json, origin }, body);
      expect(status, origin).toBe(403);
      expect(headers["access-control-allow-origin"]).toBeUndefined();
    }
  }
  expect(state()).toBeUndefined();
});

it("the log names the host and the origin that were refused, and the path with its token never", async () => {
  const { send, path, token, log } = await openDoor();
  await send("GET", path, { origin: "https://wwe.example.org" });
  await send("GET", path, { host: "evil.example" });
  expect(log.lines.map(({ details }) => details)).toMatchObject([
    { refusal: "origin", origin: "https://wwe.example.org" },
    { refusal: "host", host: "evil.example" },
  ]);
  expect(JSON.stringify(log.lines)).not.toContain(token);
});

it("a page whose name was made to lead here (DNS rebinding) is refused, its own origin or none", async () => {
  const { send, path, port, state, desk } = await openDoor();
  const host = `evil.example:${port}`;
  for (const headers of [
    { host, origin: `http://${host}` },
    { host },
    { host: "127.0.0.1.evil.example" },
    { host: "[::1]" },
  ])
    for (const [method, body] of [["POST", register], ["GET"], ["OPTIONS"]] as const)
      expect((await send(method, path, { ...json, ...headers }, body)).status).toBe(403);
  expect(state()).toBeUndefined();
  expect(desk.counters.refused.host).toBe(12);
});

it("WWE's own origin is answered with it, also when refused, so that its page can read why", async () => {
  const { send, path } = await openDoor();
  const taken = await send("POST", path, { ...json, origin: wweOrigin }, register);
  expect([taken.status, taken.headers["access-control-allow-origin"]]).toEqual([200, wweOrigin]);
  const refused = await send(
    "POST",
    "/endpoint/no.token/RegisterDn",
    { ...json, origin: wweOrigin },
    register,
  );
  expect([refused.status, refused.headers["access-control-allow-origin"]]).toEqual([401, wweOrigin]);
});

it("the bridge, which sends no Origin, is let in by its token", async () => {
  const { send, path, state } = await openDoor();
  expect((await send("POST", path, json, register)).text).toBe('{"RegisterDnResult":true}');
  expect(state()).toBe("wanted");
});

it("a token that is forged, revoked or another agent's signs nobody in", async () => {
  const { send, tokens, revoked, id, token, sessions } = await openDoor();
  const post = async (secret: string) => {
    const { status, text } = await send("POST", `/endpoint/${secret}/RegisterDn`, json, register);
    return [status, status === 200 ? text : ""];
  };
  expect(await post(`${token.slice(0, -1)}x`)).toEqual([401, ""]);
  expect(await post("x".repeat(3000))).toEqual([401, ""]);
  expect(await post(encodeURIComponent("../../x"))).toEqual([401, ""]);
  expect(await post(tokens.issueAgent("5002").token)).toEqual([200, '{"RegisterDnResult":false}']);
  revoked.push(id);
  expect(await post(token)).toEqual([401, ""]);
  expect(sessions.find("5001")).toBeUndefined();
});

it("bodies that are not what they claim are refused, and large ones unread", async () => {
  const { send, path } = await openDoor();
  for (const body of ["{", "addresses=1", "\u0000", '{"a":'.repeat(2000)])
    expect((await send("POST", path, json, body)).status).toBe(400);
  expect((await send("POST", path, json, JSON.stringify({ users: ["x".repeat(20_000)] }))).status).toBe(413);
  const deep = "[".repeat(8000) + "]".repeat(8000);
  expect((await send("POST", path, json, deep)).text).toBe('{"RegisterDnResult":false}');
  expect((await send("POST", path.replace("RegisterDn", "Unheard"), json, deep)).text).toBe("{}");
  expect((await send("POST", path, json, "")).text).toBe('{"RegisterDnResult":false}');
  expect(
    (await send("POST", path, json, '{"__proto__":{"addresses":["192.0.2.10"],"users":["5001"]}}')).text,
  ).toBe('{"RegisterDnResult":false}');
});

it("methods and paths that are none get 404", async () => {
  const { send, token } = await openDoor();
  for (const [method, path] of [
    ["PUT", `/endpoint/${token}/Ping`],
    ["DELETE", `/endpoint/${token}/Ping`],
    ["GET", "/endpoint/"],
    ["GET", `/endpoint/${token}/a/b`],
    ["GET", `/endpoint/${token}/%00`],
  ] as const)
    expect((await send(method, path, {})).status, path).toBe(404);
});

it("no token and no session stands in the log", async () => {
  const { send, token, tokens, log, ...bench } = await openDoor();
  await TestPage.open(bench, token).then((page) => page.close());
  await send("GET", `/endpoint/${token}/Odd`, {});
  await send("GET", `/endpoint/${token}x/Ping`, {});
  await send("POST", "/endpoint/page", json, JSON.stringify({ token: `${token}x` }));
  const { code = "" } = tokens.issueCode("5001") ?? {};
  await send("POST", "/endpoint/enrol", json, JSON.stringify({ code }));
  const text = JSON.stringify(log.lines);
  expect(log.lines.length).toBeGreaterThan(4);
  expect(text).not.toContain(token.slice(0, 20));
  expect(text).not.toContain(code);
});

it("enrolment: a code for a token, once, and guessing ends", async () => {
  const { send, tokens, clock } = await openDoor();
  const enrol = async (code: unknown, headers: object = {}) => {
    const answer = await send("POST", "/endpoint/enrol", { ...json, ...headers }, JSON.stringify({ code }));
    return {
      status: answer.status,
      retry: answer.headers["retry-after"],
      body: JSON.parse(answer.text) as Record<string, string>,
    };
  };
  const { code = "" } = tokens.issueCode("5007") ?? {};
  expect((await enrol(code, { origin: wweOrigin })).status).toBe(403);
  expect((await enrol(17)).status).toBe(400);
  const { status, body } = await enrol(code);
  expect([status, body["dn"]]).toEqual([200, "5007"]);
  expect(tokens.agent(body["token"] ?? "")).toMatchObject({ dn: "5007" });
  expect(await enrol(code)).toMatchObject({ status: 401, body: { reason: "used" } });
  const guesses = [];
  for (let count = 0; count < 30; count++) guesses.push((await enrol(`0000-0000-${1000 + count}`)).status);
  expect(new Set(guesses.slice(0, 20))).toEqual(new Set([401]));
  const blocked = await enrol("0000-0000-0000");
  expect(blocked.status).toBe(429);
  expect(Number(blocked.retry)).toBeGreaterThan(0);
  const late = tokens.issueCode("5007");
  expect((await enrol(late?.code)).status).toBe(200);
  clock.advance(3_600_000);
  expect((await enrol("0000-0000-0000")).status).toBe(401);
});

it("a page token opens the page once, at the address by which it was asked for", async () => {
  const { send, page, token, port, clock } = await openDoor();
  const issue = (headers: Record<string, string>) =>
    send("POST", `/endpoint/${token}/page-token`, headers, "{}");
  expect((await issue({ "content-type": "text/plain" })).status).toBe(415);
  expect((await issue({ ...json, origin: wweOrigin })).status).toBe(403);
  const issued = JSON.parse((await issue(json)).text) as { token: string; url: string; expires_at: string };
  expect(issued.url).toBe(`http://127.0.0.1:${port}/#endpoint=${issued.token}`);
  expect(Date.parse(issued.expires_at)).toBe(clock.wallClock() + 60_000);
  const opened = await page("/endpoint/page", { token: issued.token });
  expect(JSON.parse(opened.text)).toMatchObject({ dn: "5001" });
  expect((await page("/endpoint/page", { token: issued.token })).status).toBe(401);
});

it("the page's channel is the gateway's own pages' alone", async () => {
  const { send, page, token } = await openDoor();
  const { session } = JSON.parse((await page("/endpoint/page", { token })).text) as { session: string };
  for (const origin of [wweOrigin, "https://evil.example"]) {
    expect((await send("GET", `/endpoint/${session}/events`, { origin })).status).toBe(403);
    expect((await send("POST", `/endpoint/${session}/state`, { origin, ...json }, "{}")).status).toBe(403);
    expect(
      (await send("POST", "/endpoint/page", { origin, ...json }, JSON.stringify({ token }))).status,
    ).toBe(403);
  }
  expect((await send("GET", `/endpoint/${token}/events`, {})).status).toBe(401);
  expect((await send("GET", `/endpoint/${session}/Ping`, {})).status).toBe(401);
  expect((await page(`/endpoint/${session}/state`, { signed_in: 1 })).status).toBe(400);
  expect((await page(`/endpoint/${session}/result`, [])).status).toBe(400);
  expect((await page(`/endpoint/${session}/result`, { id: 1, ok: true })).status).toBe(204);
});

it("the older of two pages gets 401 once the newer one has connected", async () => {
  const bench = await openBench();
  const { token } = bench.tokens.issueAgent("5001");
  const older = await TestPage.open(bench, token);
  const newer = await TestPage.open(bench, token);
  expect((await older.event(0)).event).toBe("replaced");
  await older.ended;
  const again = await bench.send("GET", `${older.path}/events`);
  expect([again.status, JSON.parse(again.text)]).toMatchObject([401, { reason: "replaced" }]);
  expect((await older.state()).status).toBe(401);
  expect((await newer.state()).status).toBe(204);
});

it("a page that goes away is noticed", async () => {
  const bench = await openBench();
  const { token } = bench.tokens.issueAgent("5001");
  const page = await TestPage.open(bench, token);
  const line = bench.sessions.find("5001")?.page;
  expect(line?.connected).toBe(true);
  const gone = new Promise((resolve) => line?.stream?.once("close", resolve));
  page.close();
  await gone;
  expect(line?.connected).toBe(false);
});

it("a revoked token ends its page's events", async () => {
  const bench = await openBench();
  const { token, id } = bench.tokens.issueAgent("5001");
  const page = await TestPage.open(bench, token);
  bench.revoked.push(id);
  bench.sessions.endPages((tokenId) => bench.tokens.isRevoked(tokenId));
  await page.ended;
  expect((await page.state()).status).toBe(401);
});

it("many tokens of one DN make one session, and sessions end by themselves", async () => {
  const { send, tokens, sessions, clock } = await openDoor();
  for (let count = 0; count < 50; count++) {
    await send("GET", `/endpoint/${tokens.issueAgent("5001").token}/Ping`, {});
    await send("GET", `/endpoint/${tokens.issueAgent(`6${100 + count}`).token}/Ping`, {});
    await send("GET", `/endpoint/${count}.x/Ping`, {});
  }
  expect(sessions.size).toBe(51);
  clock.advance(120_000);
  expect(sessions.size).toBe(0);
  clock.advance(60_000);
  expect(clock.pendingTimers).toBe(0);
});
