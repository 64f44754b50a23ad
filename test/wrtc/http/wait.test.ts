import { Agent } from "node:http";
import { connect, type ClientHttp2Session } from "node:http2";
import { join } from "node:path";
import { connect as connectTcp } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { seeded } from "../../support/seeded.ts";
import { temporaryFolder, writeCertificate } from "../../ws/support.ts";
import { page, until, WrtcBench, type Answer, type BenchOptions } from "./support.ts";

const folder = temporaryFolder();
const tls = { certFile: join(folder.path, "cert.pem"), keyFile: join(folder.path, "key.pem") };
let bench: WrtcBench;
const cleanups: (() => void)[] = [];
beforeAll(() => writeCertificate(tls.certFile, tls.keyFile, "test"));
afterAll(() => folder.remove());
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

describe("after a restart", () => {
  async function restart(options: BenchOptions = {}): Promise<string> {
    const before = await WrtcBench.open();
    const ssid = await before.signIn();
    await before.close();
    await open(options);
    return ssid;
  }

  it("a poll registers the DN again, and ends what call the client may still think it has", async () => {
    const ssid = await restart();
    expect((await bench.ask(`/wrtc/wait?id=${ssid}`)).body).toBe("BYE");
    const poll = bench.ask(`/wrtc/wait?id=${ssid}`);
    await parked();
    expect(bench.admitted.map(({ dn }) => dn)).toEqual(["5001"]);
    say("hello");
    expect((await poll).body).toBe("INFO-PEER hello");
  });

  it("two polls at once make one session", async () => {
    const ssid = await restart();
    const polls = [1, 2].map(() => bench.ask(`/wrtc/wait?id=${ssid}`));
    expect((await Promise.race(polls)).body).toBe("BYE");
    await parked();
    expect(bench.wrtc.figures.sessions).toBe(1);
    say("hello");
    expect((await Promise.all(polls)).map(({ body }) => body).toSorted()).toEqual(["BYE", "INFO-PEER hello"]);
  });

  const roap = (messageType: string, seq: number, tiebreaker = 7): string =>
    `RSMP ${JSON.stringify({ messageType, sdp: "v=0", offererSessionId: 102, seq, tiebreaker })}`;

  it("an OFFER dials nobody in the first seconds, whatever it says: a hold may look like the beginning of a call", async () => {
    const ssid = await restart();
    const offer = (seq: number, tiebreaker: number): Promise<Answer> =>
      bench.ask(`/wrtc/message?from=${ssid}&to=5002`, { body: roap("OFFER", seq, tiebreaker) });
    const heard = (): string[] | undefined => bench.calls.at(-1)?.heard.map(({ message }) => message.kind);
    await offer(1, 7);
    expect((await bench.ask(`/wrtc/wait?id=${ssid}`)).body).toBe("BYE");
    // One that crossed that BYE.
    await offer(1, 8);
    expect((await bench.ask(`/wrtc/wait?id=${ssid}`)).body).toBe("BYE");
    expect(heard()).toEqual([]);
    const [calls] = bench.calls;
    if (calls) calls.busy = true;
    // Within a call that rang it since.
    await offer(2, 9);
    expect(heard()).toEqual(["offer"]);
    if (calls) calls.busy = false;
    bench.clock.advance(5000);
    await offer(1, 10);
    expect(heard()).toEqual(["offer", "offer"]);
  });

  it("what is posted about a call of before gets BYE, and a hold dials nobody", async () => {
    for (const [body, heard] of [
      [roap("OFFER", 2), []],
      [roap("ANSWER", 1), ["answer"]],
      ["GET-STATS", ["get-stats"]],
    ] as const) {
      const ssid = await restart();
      await bench.ask(`/wrtc/message?from=${ssid}&to=5002`, { body });
      expect(bench.calls.at(-1)?.heard.map(({ message }) => message.kind)).toEqual(heard);
      expect((await bench.ask(`/wrtc/wait?id=${ssid}`)).body).toBe("BYE");
      await bench.close();
    }
    await open();
  });

  it("a session is not found again by another page, by a gateway with another secret, or when it is too old", async () => {
    const ssid = await restart();
    expect((await bench.ask(`/wrtc/wait?id=${ssid}`, { origin: page })).status).toBe(404);
    bench.clock.advance(3_600_001);
    expect((await bench.ask(`/wrtc/wait?id=${ssid}`)).status).toBe(404);
    await bench.close();
    const other = await restart({ secret: "another" });
    expect((await bench.ask(`/wrtc/wait?id=${other}`)).status).toBe(404);
  });

  it("a session that signs out before it polls is not found again", async () => {
    const ssid = await restart();
    await bench.ask(`/wrtc/sign_out?id=${ssid}`);
    expect((await bench.ask(`/wrtc/wait?id=${ssid}`)).status).toBe(404);
    expect(bench.admitted).toEqual([]);
  });

  it("a DN that is no account any more has to stay out", async () => {
    const before = await WrtcBench.open();
    before.verdict = { outcome: "accepted" };
    const ssid = await before.signIn("6001");
    await before.close();
    await open();
    expect((await bench.ask(`/wrtc/wait?id=${ssid}`)).status).toBe(404);
  });
});

describe("a client that gives its poll up in the moment of delivery", () => {
  const rounds = 200;

  /** Each round one poll is given up about when a message comes, and the next one reads. */
  async function race(seed: number, poll: (giveUpMs?: number) => Promise<{ status: number; body: string }>) {
    const pick = seeded(seed);
    const heard: string[] = [];
    const listen = async (giveUpMs?: number): Promise<void> => {
      const answer = await poll(giveUpMs).catch(() => undefined);
      if (answer?.status === 200 && answer.body !== "") heard.push(answer.body);
    };
    for (let round = 0; round < rounds; round++) {
      const hung = listen(pick(3));
      setTimeout(() => say(`n=${round}`), pick(3));
      await hung;
      // Lost: the poll that hangs in vain ends, and the round is given up.
      const end = setTimeout(() => bench.clock.advance(25_000), 500);
      for (let tries = 0; tries < 5 && heard.at(-1) !== `INFO-PEER n=${round}`; tries++) await listen();
      clearTimeout(end);
    }
    return heard;
  }

  it("loses nothing over HTTP/1.1, and hears all in order", async () => {
    await open();
    const ssid = await bench.signIn();
    let agent = keepAlive();
    const heard = await race(7, async (giveUpMs) => {
      const abort = new AbortController();
      if (giveUpMs !== undefined) setTimeout(() => abort.abort(), giveUpMs);
      try {
        return await bench.ask(`/wrtc/wait?id=${ssid}`, { agent, signal: abort.signal });
      } catch (error) {
        agent.destroy();
        agent = keepAlive();
        throw error;
      }
    });
    expectAll(heard);
  });

  it("loses nothing over HTTP/2, and hears all in order", async () => {
    await open({ tls });
    const session = connect(`https://127.0.0.1:${bench.port}`, { rejectUnauthorized: false });
    cleanups.push(() => session.destroy());
    const ssid = await signIn2();
    const path = `/wrtc/wait?id=${ssid}`;
    const heard = await race(11, (giveUpMs) =>
      ask2(session, path, giveUpMs === undefined ? {} : { giveUpMs }),
    );
    expectAll(heard);
  });

  function expectAll(heard: readonly string[]): void {
    const wanted = Array.from({ length: rounds }, (_none, index) => `INFO-PEER n=${index}`);
    // What is told twice is told twice running, before what follows.
    expect(heard.filter((body, index) => body !== heard[index - 1])).toEqual(wanted);
    expect(bench.wrtc.figures.message.lost).toBe(0);
  }
});

describe("a poll hangs on while the server's time limits", () => {
  const limits = { requestTimeoutMs: 40, idleTimeoutMs: 40 };

  it("end half a request, over HTTP/1.1", async () => {
    await open({ limits });
    const ssid = await bench.signIn();
    const poll = bench.ask(`/wrtc/wait?id=${ssid}`, { agent: keepAlive() });
    await parked();
    const socket = connectTcp(bench.port, "127.0.0.1");
    cleanups.push(() => socket.destroy());
    const cut = new Promise((resolve) => socket.once("close", resolve));
    socket.resume();
    socket.write("POST /wrtc/sign_in HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n5001:");
    await cut;
    say("hello");
    expect((await poll).body).toBe("INFO-PEER hello");
  });

  it("end an idle connection, over HTTP/2", async () => {
    await open({ tls, limits });
    const ssid = await signIn2();
    const poll = fresh2(`/wrtc/wait?id=${ssid}`);
    await parked();
    const idle = connect(`https://127.0.0.1:${bench.port}`, { rejectUnauthorized: false });
    idle.on("error", () => undefined);
    await new Promise((resolve) => idle.once("close", resolve));
    say("hello");
    expect((await poll).body).toBe("INFO-PEER hello");
  });
});

describe("over HTTP/2", () => {
  it("a hundred polls hang on one connection, past its time limits, and all can be told and post", async () => {
    await open({ tls });
    const session = connect(`https://127.0.0.1:${bench.port}`, { rejectUnauthorized: false });
    cleanups.push(() => session.destroy());
    bench.terms = { ...bench.terms, perDn: 100 };
    const ssids: string[] = [];
    for (let index = 0; index < 90; index++) {
      const { body } = await ask2(session, "/wrtc/sign_in", { body: "5001:p:w&d+ %41é" });
      ssids.push(/^id=(.*)\n/.exec(body)?.[1] ?? "");
    }
    const polls = ssids.map((ssid) => ask2(session, `/wrtc/wait?id=${ssid}`));
    await parked(90);
    bench.clock.advance(20_000);
    const posted = await ask2(session, `/wrtc/message?from=${ssids[3]}&to=5002`, { body: "BYE" });
    expect(posted.status).toBe(200);
    expect(bench.calls[3]?.heard).toHaveLength(1);
    for (let index = 0; index < 90; index++) say(String(index), index);
    const bodies = (await Promise.all(polls)).map(({ body }) => body);
    expect(bodies).toEqual(ssids.map((_one, index) => `INFO-PEER ${index}`));
  });

  it("a client that reads nothing loses no message: its stream is ended, and it is told by the next poll", async () => {
    await open({ tls });
    const session = connect(`https://127.0.0.1:${bench.port}`, {
      rejectUnauthorized: false,
      settings: { initialWindowSize: 0 },
    });
    cleanups.push(() => session.destroy());
    const ssid = await signIn2();
    const stuck = session.request({ ":path": `/wrtc/wait?id=${ssid}` });
    const stuckEnd = new Promise((resolve) => stuck.once("close", resolve));
    stuck.on("error", () => undefined);
    await parked();
    say("hello");
    bench.clock.advance(5000);
    await stuckEnd;
    expect((await fresh2(`/wrtc/wait?id=${ssid}`)).body).toBe("INFO-PEER hello");
  });
});

async function signIn2(): Promise<string> {
  const { body } = await fresh2("/wrtc/sign_in", { body: "5001:p:w&d+ %41é" });
  return /^id=(.*)\n/.exec(body)?.[1] ?? "";
}

/** By a connection of its own. */
function fresh2(path: string, options?: Ask2Options) {
  const session = connect(`https://127.0.0.1:${bench.port}`, { rejectUnauthorized: false });
  cleanups.push(() => session.destroy());
  return ask2(session, path, options);
}

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

interface Ask2Options {
  readonly body?: string;
  readonly giveUpMs?: number;
}

function ask2(session: ClientHttp2Session, path: string, { body, giveUpMs }: Ask2Options = {}) {
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const stream = session.request({ ":path": path, ":method": body === undefined ? "GET" : "POST" });
    let status = 0;
    const chunks: Buffer[] = [];
    let ended = false;
    stream.on("response", (headers) => (status = headers[":status"] ?? 0));
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => (ended = true));
    stream.on("error", reject);
    stream.on("close", () =>
      ended && status !== 0
        ? resolve({ status, body: Buffer.concat(chunks).toString() })
        : reject(new Error("given up")),
    );
    if (giveUpMs !== undefined) setTimeout(() => stream.close(8), giveUpMs);
    stream.end(body);
  });
}
