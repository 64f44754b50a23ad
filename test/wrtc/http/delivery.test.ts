import { Agent } from "node:http";
import { connect, type ClientHttp2Session } from "node:http2";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { seeded } from "../../support/seeded.ts";
import { temporaryFolder, writeCertificate } from "../../ws/support.ts";
import { until, WrtcBench, type BenchOptions } from "./support.ts";

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

function keepAlive(): Agent {
  const agent = new Agent({ keepAlive: true });
  cleanups.push(() => agent.destroy());
  return agent;
}

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
