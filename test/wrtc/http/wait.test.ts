import { Agent } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { page, until, WrtcBench, type Answer, type BenchOptions } from "./support.ts";

let bench: WrtcBench;
const cleanups: (() => void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) cleanup();
  await bench.close();
});

async function open(options: BenchOptions = {}): Promise<WrtcBench> {
  bench = await WrtcBench.open(options);
  return bench;
}

function say(body: string, session = 0): void {
  bench.calls[session]?.line.send({ kind: "info", body }, "5002");
}

async function parked(polls = 1): Promise<void> {
  await until(() => bench.wrtc.figures.polls === polls);
}

/** Polls as grtc.js does, by kept connections, until `count` messages came. */
async function read(ssid: string, count: number, agent: Agent): Promise<string[]> {
  const bodies: string[] = [];
  while (bodies.length < count) {
    const { body } = await bench.ask(`/wrtc/wait?id=${ssid}`, { agent });
    if (body !== "") bodies.push(body.replace("INFO-PEER ", ""));
  }
  return bodies;
}

function keepAlive(): Agent {
  const agent = new Agent({ keepAlive: true });
  cleanups.push(() => agent.destroy());
  return agent;
}

describe("wait", () => {
  it("hangs until there is something to tell, and tells it with the peer", async () => {
    await open();
    const ssid = await bench.signIn();
    const poll = bench.ask(`/wrtc/wait?id=${ssid}`);
    await parked();
    bench.calls[0]?.line.send({ kind: "bye", reason: "hung up" }, "sip:a b@x");
    const answer = await poll;
    expect(answer).toMatchObject({ status: 200, body: "BYE" });
    expect(answer.headers).toMatchObject({
      pragma: "sip:a%20b@x",
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
    });
  });

  it("ends empty with 200, never with another 2xx", async () => {
    await open();
    const ssid = await bench.signIn();
    const poll = bench.ask(`/wrtc/wait?id=${ssid}`);
    await parked();
    bench.clock.advance(10_000);
    expect(await poll).toMatchObject({ status: 200, body: "", headers: { "content-length": "0" } });
  });

  it("tells a burst in order, none lost", async () => {
    await open();
    const ssid = await bench.signIn();
    const bodies = Array.from({ length: 5 }, (_none, index) => `n=${index}`);
    for (const body of bodies) say(body);
    expect(await read(ssid, 5, keepAlive())).toEqual(bodies);
    expect(bench.wrtc.figures.message).toMatchObject({ requeued: 0, lost: 0 });
  });

  it("of an SSID that is none of ours is 404, however it is written", async () => {
    await open();
    const ssid = await bench.signIn();
    const forged = [
      "",
      "undefined",
      `${ssid}x`,
      ssid.slice(1),
      ssid.replace("gw1_", "gw2_"),
      `${ssid.slice(0, -1)}${ssid.endsWith("A") ? "B" : "A"}`,
      "A".repeat(5000),
    ];
    for (const id of forged) expect((await bench.ask(`/wrtc/wait?id=${id}`)).status).toBe(404);
  });

  it("of an SSID that another page took is 404, and does not disturb the owner", async () => {
    await open({ terms: { origins: [page, "https://other.example.com"] } });
    const ssid = await bench.signIn("5001", { origin: page });
    const own = bench.ask(`/wrtc/wait?id=${ssid}`, { origin: page });
    await parked();
    for (const origin of ["https://other.example.com", undefined]) {
      const options = origin === undefined ? {} : { origin };
      expect((await bench.ask(`/wrtc/wait?id=${ssid}`, options)).status).toBe(404);
      expect((await bench.ask(`/wrtc/message?from=${ssid}`, { ...options, body: "BYE" })).status).toBe(404);
      await bench.ask(`/wrtc/sign_out?id=${ssid}`, options);
    }
    expect(bench.calls[0]?.heard).toEqual([]);
    say("still there");
    expect((await own).body).toBe("INFO-PEER still there");
  });
});

describe("sign_out", () => {
  it("ends the poll, the call and the registration of its own session, and it opens nothing any more", async () => {
    await open();
    const [one, other] = [await bench.signIn(), await bench.signIn()];
    const polls = [one, other].map((ssid) => bench.ask(`/wrtc/wait?id=${ssid}`));
    await parked(2);
    expect(await bench.ask(`/wrtc/sign_out?id=${one}`)).toMatchObject({ status: 200, body: "" });
    expect((await polls[0])?.status).toBe(200);
    expect(bench.released).toEqual(["5001 signed out"]);
    expect(bench.calls.map(({ closed }) => closed)).toEqual(["signed out", undefined]);
    expect((await bench.ask(`/wrtc/wait?id=${one}`)).status).toBe(404);
    say("there", 1);
    expect((await polls[1])?.body).toBe("INFO-PEER there");
  });

  it("that comes late, behind the next sign-in, leaves that alone; one that comes twice does nothing", async () => {
    await open();
    const former = await bench.signIn();
    const next = await bench.signIn();
    for (const id of [former, former, "unknown"]) await bench.ask(`/wrtc/sign_out?id=${id}`);
    expect(bench.released).toHaveLength(1);
    void bench.ask(`/wrtc/wait?id=${next}`).catch(() => undefined);
    await parked();
  });

  it("tells the client that its call is over, if it still polls", async () => {
    await open();
    const ssid = await bench.signIn();
    const poll = bench.ask(`/wrtc/wait?id=${ssid}`);
    await parked();
    const [calls] = bench.calls;
    if (calls) calls.busy = true;
    bench.admitted[0]?.dismissed("signed out by an administrator");
    expect((await poll).body).toBe("BYE");
    // Nor does its SSID sign it in again, as after a restart.
    bench.clock.advance(1);
    expect((await bench.ask(`/wrtc/wait?id=${ssid}`)).status).toBe(404);
  });
});

describe("a session without a poll", () => {
  it("counts as unreachable after five seconds, and is over after the time configured", async () => {
    await open();
    const ssid = await bench.signIn();
    const poll = bench.ask(`/wrtc/wait?id=${ssid}`);
    await parked();
    bench.clock.advance(10_000);
    await poll;
    bench.clock.advance(4999);
    expect(bench.reachable).toEqual([]);
    bench.clock.advance(1);
    expect(bench.reachable).toEqual([false]);
    bench.clock.advance(144_999);
    expect(bench.released).toEqual([]);
    bench.clock.advance(1);
    expect(bench.released).toEqual(["5001 client polls no more"]);
    expect(bench.calls[0]?.closed).toBe("client polls no more");
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("is reachable again with its next poll, and never over while one hangs", async () => {
    await open({ terms: { waitMs: 0 } });
    const ssid = await bench.signIn();
    bench.clock.advance(15_000);
    const poll = bench.ask(`/wrtc/wait?id=${ssid}`).catch(() => undefined);
    await parked();
    bench.clock.advance(3_600_000);
    expect(bench.reachable).toEqual([false, true]);
    expect(bench.released).toEqual([]);
    say("x");
    await poll;
  });

  it("is found again by its SSID, without a sign-in, also for what it posts", async () => {
    await open();
    const [one, other] = [await bench.signIn(), await bench.signIn()];
    bench.clock.advance(150_000);
    expect(bench.wrtc.figures.sessions).toBe(0);
    expect((await bench.ask(`/wrtc/wait?id=${one}`)).body).toBe("BYE");
    expect((await bench.ask(`/wrtc/message?from=${other}&to=5002`, { body: "BYE" })).status).toBe(200);
    expect(bench.calls[3]?.heard ?? bench.calls[2]?.heard).toHaveLength(1);
    expect(bench.wrtc.figures.session).toMatchObject({ opened: 2, rebuilt: 2, expired: 2 });
  });
});

describe("floods", () => {
  // Two thousand real connections: a busy machine takes longer than other tests of this kind may.
  it(
    "a thousand parked polls cost bounded memory, and each is told its own",
    { timeout: 60_000 },
    async () => {
      await open({ terms: { perDn: 1000, inAll: 1000, origins: [] } });
      const agent = new Agent({ keepAlive: true, maxSockets: 1100 });
      cleanups.push(() => agent.destroy());
      const ssids = await Promise.all(Array.from({ length: 1000 }, () => bench.signIn("5001", { agent })));
      const before = process.memoryUsage().heapUsed;
      const polls = ssids.map((ssid) => bench.ask(`/wrtc/wait?id=${ssid}`, { agent }));
      await parked(1000);
      // Both ends of each connection live in this process.
      expect((process.memoryUsage().heapUsed - before) / 1000).toBeLessThan(64 * 1024);
      for (let index = 0; index < 1000; index++) say(String(index), index);
      const answers: Answer[] = await Promise.all(polls);
      const indexOf = new Map(bench.calls.map(({ line }, index) => [line.presence.instance, index]));
      expect(indexOf.size).toBe(1000);
      expect(new Set(answers.map(({ body }) => body)).size).toBe(1000);
      expect((await bench.ask("/wrtc/sign_in", { body: "5002:p:w&d+ %41é" })).status).toBe(503);
    },
  );

  it("polls of one SSID beyond four make the oldest ones wait", async () => {
    await open();
    const ssid = await bench.signIn();
    const polls: Promise<Answer>[] = [];
    for (let index = 0; index < 6; index++) {
      polls.push(bench.ask(`/wrtc/wait?id=${ssid}`));
      await parked(Math.min(4, index + 1));
    }
    expect((await Promise.all(polls.slice(0, 2))).map(({ status }) => status)).toEqual([429, 429]);
  });

  it("clients of one DN beyond the number configured take the place of one that is gone, of none that is there", async () => {
    await open({ terms: { perDn: 2, waitMs: 0 } });
    const [_first, second] = [await bench.signIn(), await bench.signIn()];
    expect((await bench.ask("/wrtc/sign_in", { body: "5001:p:w&d+ %41é" })).status).toBe(503);
    void bench.ask(`/wrtc/wait?id=${second}`).catch(() => undefined);
    await parked();
    bench.clock.advance(15_000);
    await bench.signIn();
    expect(bench.calls.map(({ closed }) => closed)).toEqual([
      "another client of the DN has taken its place",
      undefined,
      undefined,
    ]);
  });

  it("a client that posts without end is slowed down", async () => {
    await open();
    const ssid = await bench.signIn();
    const agent = keepAlive();
    const statuses: number[] = [];
    for (let index = 0; index < 60; index++)
      statuses.push((await bench.ask(`/wrtc/message?from=${ssid}`, { body: "INFO-PEER a=b", agent })).status);
    expect(statuses.filter((status) => status === 429)).toHaveLength(20);
    const post = async (body: string): Promise<number> =>
      (await bench.ask(`/wrtc/message?from=${ssid}`, { body, agent })).status;
    // It is never posted again.
    expect(await post("BYE")).toBe(200);
    expect(await post("GET-STATS")).toBe(429);
    bench.clock.advance(1000);
    expect(await post("GET-STATS")).toBe(200);
  });
});
