import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it, vi } from "vitest";
import { silentLogger, systemClock, systemRandom } from "../../../src/core/index.ts";
import { createMediaPool, type MediaPool } from "../../../src/media/index.ts";
import { readKernelDrops } from "../../../src/core/index.ts";
import { sideStatistics } from "../../support/side-statistics.ts";
import { once, openPool, rtpRange, until } from "./pool-double.ts";

// Threads are started and the machine may be busy.
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

let pool: MediaPool | undefined;
afterEach(() => pool?.close());

describe("a pool whose workers have their calls", () => {
  it("gives a call to the other worker, refuses it when none has room, and leaves nothing of it", async () => {
    pool = await openPool({ workers: 2, maxCallsPerWorker: 1 });
    const sessions = [await pool.open(), await pool.open()];
    expect(new Set(sessions.map(({ browser }) => browser.port)).size).toBe(2);
    await expect(pool.open()).rejects.toMatchObject({
      name: "MediaExhaustedError",
      reason: "calls",
      message: "media worker has its 1 calls",
    });
    expect(pool.admissionRefusals).toBe(1);
    expect(pool.sessions).toBe(2);
    const workers = await pool.workers();
    expect(workers).toMatchObject([
      { sessions: 1, admissionRefusals: 1 },
      { sessions: 1, admissionRefusals: 1 },
    ]);
    const [first] = sessions;
    if (!first) throw new Error("no session");
    const closed = once(first, "closed");
    first.close("done");
    await closed;
    expect((await pool.open()).browser.port).toBe(first.browser.port);
    expect(pool.admissionRefusals).toBe(1);
  });

  it("says which want it was, though it was not the same in all workers", async () => {
    pool = await openPool({ rtpPorts: rtpRange(2) });
    await pool.open();
    await expect(pool.open()).rejects.toMatchObject({ reason: "ports", message: "no free RTP port pair" });
    await pool.close();
    await expect(pool.open()).rejects.toMatchObject({ reason: "down" });
  });
});

it("has figures of the real thread and the real socket", async () => {
  const real = (pool = await openPool());
  await real.open();
  const first = async () => (await real.workers())[0];
  await until(async () => ((await first())?.cpuPercent ?? 0) > 0, 10_000);
  expect(await first()).toMatchObject({ complexity: 1, stepsUp: 0, admissionRefusals: 0 });
  const kernelTells = (await readKernelDrops("127.0.0.1", (await first())?.browserPort ?? 0)) !== undefined;
  await until(async () => !kernelTells || (await first())?.kernelDrops === 0, 10_000);
});

const statistics = { browser: sideStatistics, trunk: sideStatistics };

/** Says of itself what `load` tells, and opens everything. */
const double = `
const { parentPort: main, workerData } = require("node:worker_threads");
main.on("message", ({ type, session }) => {
  const ice = { iceUfrag: "u", icePwd: "p", fingerprint: { algorithm: "sha-256", value: "AB" } };
  if (type === "open") main.postMessage({ type: "opened", session, ice, ssrc: 1, trunkPort: workerData.rtpPorts[0] });
  if (type === "close") main.postMessage({ type: "closed", session, reason: "over", statistics: workerData.statistics });
  if (type === "stop") main.close();
});
main.postMessage({ type: "load", load: workerData.load });
main.postMessage({ type: "ready", browserPort: 1000 + workerData.index });
`;

type Load = { percent: number; callPercent: number; full: boolean };

/** A pool of workers that told these loads. */
async function poolOf(...loads: Load[]): Promise<MediaPool> {
  pool = await createMediaPool(
    {
      host: "127.0.0.1",
      advertisedAddress: "127.0.0.1",
      browserPort: 0,
      rtpPorts: rtpRange(40),
      workers: loads.length,
    },
    {
      log: silentLogger,
      clock: systemClock,
      random: systemRandom,
      spawn: (settings) =>
        new Worker(double, {
          eval: true,
          workerData: { ...settings, load: loads[settings.index], statistics },
        }),
    },
  );
  return pool;
}

/** How many of `count` sessions each worker got. */
async function shares(of: MediaPool, count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let index = 0; index < count; index++) ports.push((await of.open()).browser.port);
  return [1000, 1001].map((port) => ports.filter((got) => got === port).length);
}

describe("a pool that knows its workers' load", () => {
  it("opens on the one whose core has more room, though it has more calls", async () => {
    // Two percent a call: after some twenty-five both are loaded alike.
    const some = await poolOf(
      { percent: 10, callPercent: 2, full: false },
      { percent: 60, callPercent: 2, full: false },
    );
    expect(await shares(some, 20)).toEqual([20, 0]);
    expect(await shares(some, 20)).toEqual([10, 10]);
  });

  it("forgets calls that were over before their load could be told", async () => {
    const some = await poolOf(
      { percent: 0, callPercent: 2, full: false },
      { percent: 15, callPercent: 2, full: false },
    );
    for (let call = 0; call < 15; call++) {
      const session = await some.open();
      expect(session.browser.port).toBe(1000);
      const closed = once(session, "closed");
      session.close("busy");
      await closed;
    }
  });

  it("asks a full one last", async () => {
    const some = await poolOf(
      { percent: 40, callPercent: 1, full: true },
      { percent: 90, callPercent: 1, full: false },
    );
    expect(await shares(some, 5)).toEqual([0, 5]);
    expect(some.full).toBe(false);
  });

  it("is full when all are, and still asks: they may have room by now", async () => {
    const some = await poolOf(
      { percent: 96, callPercent: 1, full: true },
      { percent: 97, callPercent: 1, full: true },
    );
    expect(some.full).toBe(true);
    expect((await some.open()).browser.port).toBe(1000);
  });
});
