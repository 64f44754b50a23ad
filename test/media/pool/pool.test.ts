import { readdirSync, readlinkSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createSocket, type Socket } from "node:dgram";
import { afterEach, describe, expect, it, vi } from "vitest";
import { MediaExhaustedError, type MediaPool, type MediaSession } from "../../../src/media/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { pcmu, rtp } from "../relay/relay-double.ts";
import {
  once,
  openCall,
  openPool,
  openWhenFree,
  rtpRange,
  started,
  TrunkPeer,
  until,
} from "./pool-double.ts";

// Threads are started and the machine may be busy.
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

let pool: MediaPool | undefined;
const sockets: Socket[] = [];
afterEach(async () => {
  await pool?.close();
  for (const socket of sockets.splice(0)) socket.close();
});

async function bind(port: number): Promise<Socket> {
  const socket = createSocket("udp4");
  sockets.push(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(port, "127.0.0.1", resolve);
  });
  return socket;
}

/** Sockets of this process, those of its worker threads among them. */
function openSockets(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
    } catch {
      return false;
    }
  }).length;
}

function openMany(from: MediaPool, count: number): Promise<MediaSession[]> {
  return Promise.all(Array.from({ length: count }, () => from.open()));
}

describe("opening sessions", () => {
  it("gives each what both SDPs must say, with ports of its own", async () => {
    pool = await openPool({ advertisedAddress: "203.0.113.9" });
    const [one, other] = [await pool.open(), await pool.open()];
    expect(one.browser).toMatchObject({ address: "203.0.113.9", fingerprint: { algorithm: "sha-256" } });
    expect(one.browser.port).toBe(other.browser.port);
    expect(one.browser.iceUfrag).not.toBe(other.browser.iceUfrag);
    expect(one.browser.icePwd.length).toBeGreaterThanOrEqual(22);
    expect(one.browser.ssrc).not.toBe(other.browser.ssrc);
    expect(one.trunk.port % 2).toBe(0);
    expect(other.trunk.port).not.toBe(one.trunk.port);
    expect(one.trunk.address).toBe("203.0.113.9");
    expect(pool.sessions).toBe(2);
  });

  it("names and binds each side's own address, and browsers' others too", async () => {
    pool = await openPool({
      browserSide: { host: "127.0.0.2", advertisedAddresses: ["10.1.0.5", "203.0.113.9"] },
      sipServerSide: { host: "127.0.0.3", advertisedAddresses: ["10.2.0.5"] },
    });
    const { browser, trunk } = await pool.open();
    expect(browser).toMatchObject({ address: "10.1.0.5", otherAddresses: ["203.0.113.9"] });
    expect(trunk.address).toBe("10.2.0.5");
    const bound = await readFile("/proc/net/udp", "latin1");
    const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, "0");
    expect(bound).toContain(` 0200007F:${hex(browser.port)} `);
    expect(bound).toContain(` 0300007F:${hex(trunk.port)} `);
    expect(bound).toContain(` 0300007F:${hex(trunk.port + 1)} `);
  });

  it("spreads them over the workers, the least loaded first, each on its own ports", async () => {
    const rtpPorts = rtpRange(40);
    pool = await openPool({ workers: 2, rtpPorts });
    const sessions = await openMany(pool, 6);
    const workers = await pool.workers();
    expect(workers.map(({ sessions: count }) => count)).toEqual([3, 3]);
    expect(new Set(workers.map(({ browserPort }) => browserPort)).size).toBe(2);
    for (const session of sessions) {
      const worker = workers.find(({ browserPort }) => browserPort === session.browser.port);
      const lowHalf = session.trunk.port < rtpPorts[0] + 20;
      expect(worker?.index).toBe(lowHalf ? 0 : 1);
    }
    expect(workers[0]?.receiveBufferBytes).toBeGreaterThan(0);
  });

  it("throws MediaExhaustedError when no worker has a pair left, and serves again after a close", async () => {
    pool = await openPool({ workers: 2, rtpPorts: rtpRange(8), portRestMs: 0 });
    const open = await openMany(pool, 4);
    await expect(pool.open()).rejects.toThrow(MediaExhaustedError);
    const first = open[0];
    if (!first) throw new Error("no session");
    const closed = once(first, "closed");
    first.close("done");
    await closed;
    expect((await pool.open()).trunk.port).toBe(first.trunk.port);
    expect(pool.sessions).toBe(4);
  });

  it("lets a pair rest before it is used again", async () => {
    pool = await openPool({ rtpPorts: rtpRange(2), portRestMs: 300 });
    const session = await pool.open();
    const closed = once(session, "closed");
    const closedAt = performance.now();
    session.close("done");
    await closed;
    await expect(pool.open()).rejects.toThrow(MediaExhaustedError);
    expect((await openWhenFree(pool)).trunk.port).toBe(session.trunk.port);
    // A millisecond off for timers, which count whole ones.
    expect(performance.now() - closedAt).toBeGreaterThanOrEqual(299);
  });

  it("passes over ports that another program holds, the odd one of a pair too", async () => {
    const rtpPorts = rtpRange(6);
    await bind(rtpPorts[0]);
    await bind(rtpPorts[0] + 3);
    pool = await openPool({ rtpPorts });
    expect((await pool.open()).trunk.port).toBe(rtpPorts[0] + 4);
    await expect(pool.open()).rejects.toThrow(MediaExhaustedError);
  });

  it("refuses impossible ports before anything is started", async () => {
    const count = started.length;
    const [first, last] = rtpRange(4);
    await expect(openPool({ rtpPorts: [first, last], browserPort: last })).rejects.toThrow(RangeError);
    expect(started).toHaveLength(count);
  });

  it("does not start when a browser port is taken, and says so", async () => {
    const taken = await bind(0);
    await expect(openPool({ browserPort: taken.address().port })).rejects.toThrow("EADDRINUSE");
  });
});

describe("closing", () => {
  it("tells `closed` once with the reason and the last counters, and then is deaf and dumb", async () => {
    pool = await openPool();
    const call = await openCall(pool, pcmu, pcmu);
    call.browser.sendRtp(rtp(0, 1, 0, Buffer.alloc(160, 0x22)));
    await until(() => call.trunk.received.length > 0);
    const told: unknown[][] = [];
    call.session.events.on("closed", (...args) => told.push(args));
    call.session.close("caller hung up");
    call.session.close("again");
    await until(() => pool?.sessions === 0);
    expect(told).toHaveLength(1);
    expect(told[0]?.[0]).toBe("caller hung up");
    expect(told[0]?.[1]).toMatchObject({ browser: { packetsReceived: 1 }, trunk: { codec: "pcmu" } });
    await expect(call.session.statistics()).rejects.toThrow("closed");
    await expect(call.session.restartIce()).rejects.toThrow("closed");
    call.session.connect();
    call.session.setDirection("trunk", "inactive");
    expect(call.session.events.listenerCount).toBe(0);
    await call.close();
  });

  it("of the pool ends every session with `closed` and every thread, and may be repeated", async () => {
    pool = await openPool({ workers: 2 });
    const reasons: unknown[] = [];
    for (let index = 0; index < 4; index++)
      (await pool.open()).events.on("closed", (reason) => reasons.push(reason));
    await Promise.all([pool.close(), pool.close()]);
    expect(reasons).toEqual(Array(4).fill("media pool closed"));
    expect(pool.sessions).toBe(0);
    expect(await pool.workers()).toEqual([]);
    await expect(pool.open()).rejects.toThrow(MediaExhaustedError);
    expect(started.slice(-2).map(({ threadId }) => threadId)).toEqual([-1, -1]);
  });

  it("leaves nothing after fifty sessions opened and closed, some of them connected", async () => {
    pool = await openPool({ rtpPorts: rtpRange(12), portRestMs: 0 });
    const socketsBefore = openSockets();
    for (let round = 0; round < 50; round++) {
      if (round % 10 === 0) {
        const call = await openCall(pool, pcmu, pcmu);
        call.session.close("done");
        await call.close();
      } else (await pool.open()).close("done");
      if (round % 5 === 4) await until(() => pool?.sessions === 0);
    }
    await until(() => pool?.sessions === 0);
    expect((await pool.workers())[0]?.sessions).toBe(0);
    await until(() => openSockets() <= socketsBefore);
    // All six pairs are free again: as many sessions as at first can be open at once.
    await openMany(pool, 6);
    expect(pool.sessions).toBe(6);
  });
});

describe("a worker that fails", () => {
  it("ends only its own sessions, is started anew on its old ports, and the rest go on", async () => {
    pool = await openPool({ workers: 2 });
    const before = await pool.workers();
    const calls = [await openCall(pool, pcmu, pcmu), await openCall(pool, pcmu, pcmu)];
    const [first, second] = calls;
    if (!first || !second) throw new Error("no calls");
    const victim = started
      .slice(-2)
      .at(before.findIndex(({ browserPort }) => browserPort === first.session.browser.port));
    const closed = once(first.session, "closed");
    let otherClosed = false;
    const failures: [number, string][] = [];
    pool.events.on("worker-failed", (...failure) => failures.push(failure));
    second.session.events.on("closed", () => (otherClosed = true));
    await victim?.terminate();
    const [reason, statistics] = await closed;
    expect(reason).toMatch(/^media worker failed/);
    expect(statistics).toBeUndefined();
    second.browser.sendRtp(rtp(0, 1, 0, Buffer.alloc(160, 0x22)));
    await until(() => second.trunk.received.some((packet) => packet[12] === 0x22));
    expect(otherClosed).toBe(false);
    expect(failures).toEqual([[expect.any(Number), "exit code 1"]]);
    expect(pool.sessions).toBe(1);
    await until(async () => (await pool?.workers())?.length === 2);
    const workers = await pool.workers();
    expect(workers.map(({ browserPort }) => browserPort)).toEqual(
      before.map(({ browserPort }) => browserPort),
    );
    expect(workers.map(({ restarts }) => restarts).reduce((sum, count) => sum + count)).toBe(1);
    const again = await openCall(pool, pcmu, pcmu);
    expect(again.session.browser.port).toBe(first.session.browser.port);
    for (const call of [...calls, again]) await call.close();
  });

  it("by an error of its own is told with the error's words, and waiting callers are answered", async () => {
    pool = await openPool();
    const session = await pool.open();
    const closed = once(session, "closed");
    const opening = pool.open();
    // No command of ours: the worker throws on it.
    started.at(-1)?.postMessage(null);
    const asked = session.statistics();
    await expect(asked).rejects.toThrow("media worker failed");
    expect((await closed)[0]).toMatch(/media worker failed: .*null/);
    await Promise.allSettled([opening]);
    await until(() => pool?.sessions === 0);
    await expect(pool.open()).rejects.toThrow(MediaExhaustedError);
  });

  it("again and again is started later and later", async () => {
    const clock = new FakeClock();
    const failing = (pool = await openPool({}, clock));
    const up = async (): Promise<boolean> => (await failing.workers()).length === 1;
    const count = started.length;
    const fail = async (): Promise<void> => {
      await started.at(-1)?.terminate();
      await until(async () => !(await up()));
    };
    await fail();
    clock.advance(0);
    expect(started).toHaveLength(count + 1);
    for (const [restarts, pauseMs] of [500, 1000, 2000].entries()) {
      await until(up);
      await fail();
      clock.advance(pauseMs - 1);
      expect(started).toHaveLength(count + 1 + restarts);
      clock.advance(1);
      expect(started).toHaveLength(count + 2 + restarts);
    }
  });
});

describe("the trunk side on real sockets", () => {
  it("sends RTCP to the port signalled and takes RTP of strangers for nothing", async () => {
    pool = await openPool();
    const call = await openCall(pool, pcmu, pcmu);
    const stranger = createSocket("udp4");
    sockets.push(stranger);
    await new Promise<void>((resolve) => stranger.bind(0, "127.0.0.2", resolve));
    const heard: number[] = [];
    call.browser.onRtp = (packet) => heard.push(packet[12] ?? 0);
    stranger.send(rtp(0, 1, 0, Buffer.alloc(160, 0x66)), call.session.trunk.port, "127.0.0.1");
    const dropped = async () => (await call.session.statistics()).trunk.dropped;
    await until(async () => (await dropped())["stranger"] === 1);
    call.trunk.send(rtp(0, 1, 0, Buffer.alloc(160, 0x22)), call.session);
    await until(() => heard.length > 0);
    expect(heard).toEqual([0x22]);
    expect(await dropped()).toEqual({ stranger: 1 });
    await until(() => call.trunk.receivedRtcp.length > 0, 5000);
    expect([200, 201]).toContain(call.trunk.receivedRtcp[0]?.[1]);
    call.session.close("done");
    await call.close();
  }, 10_000);

  it("keeps RTP of one session's trunk from another", async () => {
    pool = await openPool();
    const [one, other] = [await openCall(pool, pcmu, pcmu), await openCall(pool, pcmu, pcmu)];
    const heard: number[] = [];
    other.browser.onRtp = (packet) => heard.push(packet[12] ?? 0);
    const peer = await TrunkPeer.create();
    one.trunk.send(rtp(0, 1, 0, Buffer.alloc(160, 0x11)), one.session);
    other.trunk.send(rtp(0, 1, 0, Buffer.alloc(160, 0x22)), other.session);
    await until(() => heard.length > 0);
    expect(heard).toEqual([0x22]);
    peer.close();
    await one.close();
    await other.close();
  });
});
