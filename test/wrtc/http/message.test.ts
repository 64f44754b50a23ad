import { afterEach, describe, expect, it } from "vitest";
import { until, WrtcBench } from "./support.ts";

let bench: WrtcBench;
afterEach(() => bench.close());

async function signedIn() {
  bench = await WrtcBench.open();
  const ssid = await bench.signIn();
  const post = (body: string, to = "5002") => bench.ask(`/wrtc/message?from=${ssid}&to=${to}`, { body });
  return { ssid, post };
}

const offer = (more: object = {}): string =>
  `RSMP ${JSON.stringify({ messageType: "OFFER", sdp: "v=0\r\n", offererSessionId: 102, seq: 1, tiebreaker: 5, ...more })}`;

describe("message", () => {
  it("hands on what the client says, with whom it says it to, and is answered at once", async () => {
    const { ssid, post } = await signedIn();
    const answer = await post(offer(), "+15551234;a=b&c");
    expect(answer).toMatchObject({
      status: 200,
      body: "",
      headers: { "content-type": "text/plain; charset=utf-8" },
    });
    await post("BYE", ssid);
    await post("INFO-MAP a=%20+", "");
    expect(bench.calls[0]?.heard).toMatchObject([
      { message: { kind: "offer", sdp: "v=0\r\n" }, to: "+15551234;a=b&c" },
      { message: { kind: "bye" }, to: "self" },
      { message: { kind: "info", use: "to-server", body: "a=%20+" }, to: "" },
    ]);
  });

  it("posted again, since the reply was lost, is answered again and taken once", async () => {
    const { post } = await signedIn();
    for (let index = 0; index < 3; index++) expect((await post(offer())).status).toBe(200);
    expect(bench.calls[0]?.heard).toHaveLength(1);
    await post("BYE");
    // One that was under way all the time opens no second call.
    await post(offer());
    await post(offer({ seq: 2 }));
    await post("BYE");
    expect(bench.calls[0]?.heard.map(({ message }) => message.kind)).toEqual([
      "offer",
      "bye",
      "offer",
      "bye",
    ]);
    expect(bench.wrtc.figures.message).toMatchObject({ repeated: 3, received: { offer: 5, bye: 2 } });
  });

  it("of a client without ids may say the same again after a while", async () => {
    const { post } = await signedIn();
    const bare = 'RSMP {"messageType":"OFFER","sdp":"v=0"}';
    await post(bare);
    await post(bare);
    bench.clock.advance(119_000);
    await post(bare);
    expect(bench.calls[0]?.heard).toHaveLength(1);
  });

  it.each(["RSMP", "RSMP {}", 'RSMP {"messageType":"OFFER"', 'RSMP {"messageType":"OFFER","sdp":7}'])(
    "that is broken ROAP is answered 200, lest it come every three seconds, and ends in error and BYE: %j",
    async (body) => {
      const { ssid, post } = await signedIn();
      expect((await post(body)).status).toBe(200);
      const told = [await bench.ask(`/wrtc/wait?id=${ssid}`), await bench.ask(`/wrtc/wait?id=${ssid}`)];
      expect(told.map((one) => one.body)).toEqual([
        'SDP {"messageType":"ERROR","errorType":"FAILED"}',
        "BYE",
      ]);
      expect(bench.calls[0]?.heard).toEqual([]);
    },
  );

  it("that is broken ends no call that runs", async () => {
    const { ssid, post } = await signedIn();
    const [calls] = bench.calls;
    if (calls) calls.busy = true;
    await post("RSMP {}");
    expect((await bench.ask(`/wrtc/wait?id=${ssid}`)).body).toContain("ERROR");
    const next = bench.ask(`/wrtc/wait?id=${ssid}`);
    await until(() => bench.wrtc.figures.polls === 1);
    bench.clock.advance(10_000);
    expect((await next).body).toBe("");
    if (calls) calls.busy = false;
  });

  it.each(["", "v=0", "HELLO", "\u0000\u0001"])("that is nothing is refused: %j", async (body) => {
    const { post } = await signedIn();
    expect((await post(body)).status).toBe(400);
  });

  it("beyond 256 kB is refused, below it is taken", async () => {
    const { post } = await signedIn();
    expect((await post(`INFO-PEER ${"x".repeat(256 * 1024)}`)).status).toBe(413);
    expect((await post(`RSMP ${"x".repeat(200_000)}`)).status).toBe(200);
  });

  it("with data for SIP Server beyond what SIP carries is refused: 16 kB", async () => {
    const { post } = await signedIn();
    for (const word of ["INFO-PEER", "INFO-MAP"]) {
      expect((await post(`${word} ${"x".repeat(16_384)}`)).status).toBe(200);
      expect((await post(`${word} ${"x".repeat(16_385)}`)).status).toBe(413);
      expect((await post(`${word} ${"é".repeat(8_193)}`)).status).toBe(413);
    }
    expect(bench.calls[0]?.heard).toHaveLength(2);
  });

  it("of nobody known is 404; by GET it is none", async () => {
    const { ssid } = await signedIn();
    for (const query of ["", "?from=", "?from=x&to=y", `?to=y&from=${ssid}x`])
      expect((await bench.ask(`/wrtc/message${query}`, { body: "BYE" })).status).toBe(404);
    expect((await bench.ask(`/wrtc/message?from=${ssid}&to=y`)).status).toBe(405);
  });

  it("that cannot be acted on harms nobody", async () => {
    const { ssid, post } = await signedIn();
    const [calls] = bench.calls;
    if (calls)
      calls.receive = () => {
        throw new Error("fault");
      };
    expect((await post(offer())).status).toBe(200);
    void bench.ask(`/wrtc/wait?id=${ssid}`).catch(() => undefined);
    await until(() => bench.wrtc.figures.polls === 1);
  });
});

it("no line of the log says an SSID, a password or a query", async () => {
  const lines: string[] = [];
  const write = (details: object, message: string): void =>
    void lines.push(JSON.stringify({ details, message }));
  const log = { debug: write, info: write, warn: write, error: write, child: () => log };
  bench = await WrtcBench.open({ log });
  const ssid = await bench.signIn();
  await bench.ask("/wrtc/sign_in", { body: "5001:a-wrong-one" });
  await bench.ask("/wrtc/sign_in?5001");
  await bench.ask(`/wrtc/wait?id=${ssid}`, { origin: "https://agents.example.com" });
  for (const body of ["BYE", "RSMP {", offer(), "INFO-PEER pin=1234"])
    await bench.ask(`/wrtc/message?from=${ssid}&to=5002`, { body });
  bench.calls[0]?.line.send({ kind: "info", body: "pin=1234" }, "5002");
  await bench.ask(`/wrtc/sign_out?id=${ssid}`);
  expect(lines.length).toBeGreaterThan(5);
  const text = lines.join("\n");
  for (const secret of [ssid, ssid.slice(4, 40), "p:w&d", "a-wrong-one", "pin=1234"])
    expect(text).not.toContain(secret);
});
