import { afterEach, describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/index.ts";
import { page, password, until, WrtcBench, type BenchOptions } from "./support.ts";

let bench: WrtcBench;
afterEach(() => bench.close());

async function open(options: BenchOptions = {}): Promise<WrtcBench> {
  bench = await WrtcBench.open(options);
  return bench;
}

describe("sign_in", () => {
  it("takes DN and password as they are, whatever signs stand in the password", async () => {
    await open();
    const answer = await bench.ask("/wrtc/sign_in", { body: `5001:${password}` });
    expect(answer).toMatchObject({
      status: 200,
      body: expect.stringMatching(/^id=gw1_[\w-]{60,}\n$/) as string,
    });
    expect(answer.headers).toMatchObject({
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    });
    expect(bench.admitted).toMatchObject([{ kind: "wrtc", dn: "5001", reachable: true, gone: false }]);
    // The id of the session in lists is no SSID.
    expect(answer.body).not.toContain(bench.admitted[0]?.instance);
  });

  it("refuses a wrong password with words that say nothing of the DN", async () => {
    await open();
    const answers = ["5001:wrong", "9999:wrong"].map((body) => bench.ask("/wrtc/sign_in", { body }));
    for (const answer of await Promise.all(answers))
      expect(answer).toMatchObject({ status: 403, body: "wrong DN or password\n" });
    expect(bench.admitted).toEqual([]);
  });

  it("refuses who is shut out, and says when to come back", async () => {
    await open();
    bench.verdict = { outcome: "blocked", seconds: 30 };
    const answer = await bench.ask("/wrtc/sign_in", { body: "5001:wrong" });
    expect(answer).toMatchObject({ status: 429, headers: { "retry-after": "30" } });
    bench.verdict = { outcome: "unavailable", seconds: 5 };
    expect(await bench.ask("/wrtc/sign_in", { body: "5001:wrong" })).toMatchObject({ status: 503 });
  });

  it.each(["", "5001", "{}", ":", ":x"])("refuses a body that names nobody: %j", async (body) => {
    await open();
    expect((await bench.ask("/wrtc/sign_in", { body })).status).toBe(400);
  });

  it("takes a body of any type, and one whose type is none", async () => {
    await open();
    for (const type of ["application/json", "multipart/form-data; boundary=x", "text/plain", "nonsense", ""])
      await bench.signIn("5001", { headers: { "content-type": type } });
    expect(bench.admitted).toHaveLength(5);
  });

  it("without a password is refused unless it was asked for", async () => {
    await open();
    expect(await bench.ask("/wrtc/sign_in?5001")).toMatchObject({
      status: 403,
      body: "a password is needed\n",
    });
    expect((await bench.ask(`/wrtc/sign_in?${anonymous}`)).status).toBe(403);
    bench.terms = { ...bench.terms, allowAnonymous: true };
    expect((await bench.ask("/wrtc/sign_in?5001")).status).toBe(200);
    expect(bench.admitted.map(({ dn }) => dn)).toEqual(["5001"]);
    expect((await bench.ask("/wrtc/sign_in?5999x")).status).toBe(403);
  });

  it("of an anonymous client registers nothing at SIP Server", async () => {
    await open({ terms: { allowAnonymous: true } });
    expect((await bench.ask(`/wrtc/sign_in?${anonymous}`)).status).toBe(200);
    expect(bench.admitted).toEqual([]);
    expect(bench.asked).toEqual([]);
    expect(bench.calls[0]?.line).toMatchObject({ anonymous: true, presence: { dn: anonymous } });
  });

  it("reads a DN of the query with its plus and its escapes, once", async () => {
    await open({ terms: { allowAnonymous: true } });
    for (const dn of ["+15551234", "50%2001", "a%252Bb", "sip:5001@x.y"])
      await bench.ask(`/wrtc/sign_in?${dn}`);
    expect(bench.asked).toEqual(["+15551234", "50 01", "a%2Bb", "5001"]);
    expect((await bench.ask("/wrtc/sign_in?%zz")).status).toBe(400);
    expect((await bench.ask("/wrtc/sign_in")).status).toBe(400);
  });
});

const anonymous = "anon0123456789ab4cde8f0123456789abcd";

describe("the answer to sign_in waits for SIP Server's to REGISTER", () => {
  async function begin(state: "registering" | "backing-off" = "registering") {
    await open();
    bench.standings.set("5001", { state, reason: "" });
    const answer = bench.ask("/wrtc/sign_in", { body: `5001:${password}` });
    await until(() => bench.admitted.length === 1);
    return { answer };
  }

  it("and is good once the DN is in service", async () => {
    const { answer } = await begin();
    bench.stand("5002", "in-service");
    bench.stand("5001", "in-service");
    expect((await answer).status).toBe(200);
    expect(bench.released).toEqual([]);
  });

  it("and is a refusal where SIP Server refuses the DN, which is let go then", async () => {
    const { answer } = await begin();
    bench.stand("5001", "rejected", "404 Not Found: DN not configured at SIP Server");
    expect(await answer).toMatchObject({ status: 403, body: expect.stringContaining("404") as string });
    expect(bench.released).toHaveLength(1);
    expect(bench.wrtc.figures.sessions).toBe(0);
  });

  it("ten seconds at most: 503 where SIP Server does not answer", async () => {
    const { answer } = await begin("backing-off");
    bench.clock.advance(10_000);
    expect((await answer).status).toBe(503);
    expect(bench.released).toHaveLength(1);
  });

  it("and is good where the REGISTER only waits for its turn, as when a whole site signs in", async () => {
    const { answer } = await begin();
    bench.clock.advance(10_000);
    expect((await answer).status).toBe(200);
    expect(bench.reachable).toEqual([]);
  });

  it("and is 503 where the gateway closes meanwhile, which no timer holds up", async () => {
    const { answer } = await begin();
    bench.wrtc.close("gateway is shutting down");
    expect((await answer).status).toBe(503);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("and who gave up meanwhile is not signed in", async () => {
    await open();
    bench.standings.set("5001", { state: "registering", reason: "" });
    const abort = new AbortController();
    const answer = bench
      .ask("/wrtc/sign_in", { body: `5001:${password}`, signal: abort.signal })
      .catch(() => "gone");
    await until(() => bench.admitted.length === 1);
    abort.abort();
    expect(await answer).toBe("gone");
    await until(() => bench.http.connections === 0);
    bench.stand("5001", "in-service");
    await until(() => bench.released.length === 1);
  });
});

describe("a gateway that is drained", () => {
  it("takes nobody new, and lets who is there go on", async () => {
    await open();
    const ssid = await bench.signIn();
    bench.accepting = false;
    expect((await bench.ask("/wrtc/sign_in", { body: `5001:${password}` })).status).toBe(503);
    const poll = bench.ask(`/wrtc/wait?id=${ssid}`);
    await until(() => bench.wrtc.figures.polls === 1);
    bench.calls[0]?.line.send({ kind: "talk" }, "5002");
    expect(await poll).toMatchObject({ status: 200, body: "EVENT-TALK" });
    expect((await bench.ask("/wrtc/wait?id=gw1_x")).status).toBe(503);
  });

  it("moves its clients with 503, so that they poll on at the next one", async () => {
    await open();
    const ssid = await bench.signIn();
    const poll = bench.ask(`/wrtc/wait?id=${ssid}`);
    await until(() => bench.wrtc.figures.polls === 1);
    bench.accepting = false;
    bench.admitted[0]?.dismissed("moved away");
    expect((await poll).status).toBe(503);
    expect((await bench.ask(`/wrtc/wait?id=${ssid}`)).status).toBe(503);
    // Taken back: it is known again, and nobody had to sign in.
    bench.accepting = true;
    expect((await bench.ask(`/wrtc/wait?id=${ssid}`)).body).toBe("BYE");
  });
});

describe("pages of other origins", () => {
  it("may ask where they are named, and read errors too", async () => {
    await open();
    const answers = [
      await bench.ask("/wrtc/sign_in", { body: `5001:${password}`, origin: page }),
      await bench.ask("/wrtc/sign_in", { body: "5001:wrong", origin: page }),
      await bench.ask("/wrtc/wait?id=unknown", { origin: page }),
      await bench.ask("/wrtc/message?from=x&to=y", { body: "x".repeat(300_000), origin: page }),
      await bench.ask("/wrtc/wait", { method: "POST", body: "", origin: page }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 403, 404, 413, 405]);
    for (const { headers } of answers)
      expect(headers).toMatchObject({
        "access-control-allow-origin": page,
        "access-control-allow-credentials": "true",
        vary: "Origin",
        "content-type": "text/plain; charset=utf-8",
      });
  });

  it("are refused else, and cannot read so much as that", async () => {
    await open();
    for (const origin of ["https://evil.example.com", "null", `${page}.evil.com`, page.toUpperCase()]) {
      const answer = await bench.ask("/wrtc/sign_in", { body: `5001:${password}`, origin });
      expect(answer.status).toBe(403);
      expect(answer.headers).not.toHaveProperty("access-control-allow-origin");
    }
    expect(bench.asked).toEqual([]);
  });

  it("that ask by an image or a link, without Origin, are refused as their browser says where they come from", async () => {
    await open({ terms: { allowAnonymous: true } });
    for (const site of ["cross-site", "same-site"]) {
      const answer = await bench.ask("/wrtc/sign_in?5001", { headers: { "sec-fetch-site": site } });
      expect([site, answer.status]).toEqual([site, 403]);
    }
    expect(bench.asked).toEqual([]);
    for (const site of ["same-origin", "none"]) {
      const answer = await bench.ask("/wrtc/wait?id=x", { headers: { "sec-fetch-site": site } });
      expect([site, answer.status]).toEqual([site, 404]);
    }
  });

  it("that had their name lead here are refused where no password is needed and none of TLS' certificates tells (DNS rebinding)", async () => {
    await open({ terms: { allowAnonymous: true, origins: ["https://gateway.example.com"] } });
    const { port } = bench;
    const asked = async (host: string, origin?: string): Promise<number> =>
      (
        await bench.ask("/wrtc/sign_in?5001", {
          headers: { host },
          ...(origin === undefined ? {} : { origin }),
        })
      ).status;
    expect(await asked(`evil.example:${port}`)).toBe(403);
    expect(await asked(`evil.example:${port}`, `http://evil.example:${port}`)).toBe(403);
    expect(bench.admitted).toEqual([]);
    // By address, on this machine, and by a name that wrtc.origins has: a proxy's that ends TLS.
    for (const host of [`127.0.0.1:${port}`, `[::1]:${port}`, "localhost", "gateway.example.com"])
      expect(await asked(host), host).toBe(200);
    bench.terms = { ...bench.terms, allowAnonymous: false };
    expect(
      (await bench.ask("/wrtc/sign_in", { body: `5001:${password}`, headers: { host: "any.example" } }))
        .status,
    ).toBe(200);
  });

  it("are named in the log when they are refused, not without end, and counted", async () => {
    const lines: object[] = [];
    const log = { ...silentLogger, warn: (details: object) => void lines.push(details) };
    await open({ log });
    for (let asked = 0; asked < 40; asked++)
      await bench.ask("/wrtc/sign_in", { body: `5001:${password}`, origin: "https://forgotten.example.com" });
    expect(lines[0]).toEqual({
      origin: "https://forgotten.example.com",
      host: `127.0.0.1:${bench.port}`,
      address: "127.0.0.1",
    });
    expect(lines).toHaveLength(20);
    expect(bench.wrtc.figures.foreign).toBe(40);
  });

  it("of the gateway's own need not be named, and are one whether their requests say it or not", async () => {
    await open({ terms: { origins: [] } });
    const ssid = await bench.signIn("5001", { origin: `http://127.0.0.1:${bench.port}` });
    const poll = bench.ask(`/wrtc/wait?id=${ssid}`);
    await until(() => bench.wrtc.figures.polls === 1);
    bench.calls[0]?.line.send({ kind: "hold" }, "");
    expect((await poll).body).toBe("EVENT-HOLD");
  });

  it("get an answer to their preflights, for private networks too", async () => {
    await open();
    const headers = {
      "access-control-request-method": "POST",
      "access-control-request-headers": "x-one, x-two",
      "access-control-request-private-network": "true",
    };
    const answer = await bench.ask("/wrtc/message", { method: "OPTIONS", origin: page, headers });
    expect(answer).toMatchObject({
      status: 204,
      headers: {
        "access-control-allow-origin": page,
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": "x-one, x-two",
        "access-control-allow-private-network": "true",
      },
    });
    const refused = await bench.ask("/wrtc/message", {
      method: "OPTIONS",
      origin: "https://evil.com",
      headers,
    });
    expect(refused.status).toBe(403);
    expect(refused.headers).not.toHaveProperty("access-control-allow-private-network");
  });
});

describe("paths", () => {
  it("are those configured, none among them, with slashes once or twice", async () => {
    await open({ paths: ["", "/wrtc", "/api/webrtc"] });
    const paths = ["", "/", "/wrtc", "/wrtc/", "//wrtc", "/api/webrtc", "/api//webrtc/"];
    for (const path of paths) {
      const answer = await bench.ask(`${path}/sign_in`, { body: "5001:wrong" });
      expect([path, answer.status]).toEqual([path, 403]);
    }
    expect((await bench.ask("/other/sign_in", { body: "5001:wrong" })).status).toBe(404);
  });

  it("answer no HEAD: it would sign in", async () => {
    await open({ terms: { allowAnonymous: true } });
    expect((await bench.ask("/wrtc/sign_in?5001", { method: "HEAD" })).status).toBe(404);
    expect(bench.admitted).toEqual([]);
  });
});

it("another variant on the same paths is asked first", async () => {
  const asked: string[] = [];
  await open({
    variants: [
      {
        answer({ method, action, query, body, origin }) {
          asked.push(`${method} ${action} ${query} ${body} ${origin ?? "own"}`);
          return action === "message" ? { status: 204, body: "" } : undefined;
        },
      },
    ],
  });
  expect((await bench.ask("/wrtc/message?id=x", { origin: page })).status).toBe(204);
  await bench.signIn();
  expect(asked).toEqual([`GET message id=x  ${page}`, `POST sign_in  5001:${password} own`]);
});
