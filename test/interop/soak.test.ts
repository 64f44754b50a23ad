import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock, type Clock } from "../../src/core/index.ts";
import type { Gateway } from "../../src/cli/index.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { BrowserDouble, type DoubleCall } from "../support/browser-double.ts";
import { encodeOpus, framesOf } from "../support/browser-media.ts";
import { openTestGateway, openTestSandbox } from "../support/test-gateway.ts";
import { toCodes, voice } from "../support/sound.ts";
import { after, until } from "./support/rtp-phone.ts";

/** Before anything is measured: code is compiled, caches are full. */
const warmUpCalls = 80;
const calls = 200;
/**
 * Of objects alone, compiled code left out. One call that is not forgotten weighs far more: 49 kB when a test kept
 * only the browser's end of its signalling. What 200 calls leave by themselves (the optimiser's notes) came to 0.6 kB
 * a call.
 */
const mostHeapPerCall = 5000;
/** Of the media worker, buffers included: 1.25 kB a call here. A codec pair or session that stays costs 60 kB and more. */
const mostWorkerHeapPerCall = 10_000;
/** RFC 3261's 64*T1, which timers B, F, H, J and L wait; on loopback nothing is lost, so that nothing comes so late. */
const transactionTimeoutMs = 32_000;
/** Two seconds in their place: the drain would else be a minute of waiting for what no call needs. */
const hurriedClock: Clock = {
  ...systemClock,
  setTimer: (delayMs, callback) =>
    systemClock.setTimer(delayMs === transactionTimeoutMs ? 2000 : delayMs, callback),
};
const drainMs = 45_000;
/** Range of its own. A pair rests 2 s after a call, and a fast machine makes 40 calls a second. */
const pairs = 128;
const rtpPorts = [28_400, 28_400 + 2 * pairs - 1] as const;

setFlagsFromString("--expose-gc");
// Else what has not run for some collections is dropped with its notes, a few MB that would cover a leak.
setFlagsFromString("--no-flush-bytecode");
const collect: unknown = runInNewContext("gc");

const workers: Worker[] = [];
const onWorker = (worker: Worker): void => void workers.push(worker);
let sandbox: Sandbox;
let gateway: Gateway;
let records = 0;
const reasons = new Map<string, number>();

beforeAll(async () => {
  process.on("worker", onWorker);
  sandbox = await openTestSandbox({ traceLimit: 0, clock: hurriedClock });
  gateway = await openTestGateway({
    sipServer: `127.0.0.1:${sandbox.port}`,
    clock: hurriedClock,
    config: { media: { rtpPorts, maxWorkerLoad: 0 } },
  });
  gateway.onCallRecord(({ endedBy, status }) => {
    records++;
    const reason = `${endedBy} ${status}`;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  });
});
afterAll(async () => {
  process.off("worker", onWorker);
  await gateway.close();
  await sandbox.close();
});

interface Frames {
  readonly opus: readonly Buffer[];
  readonly pcmu: readonly Buffer[];
}

/** Every kind of call there is: dialled, dialled and moved, called and answered by talk, made by SIP Server. */
async function begin(browser: BrowserDouble, index: number): Promise<DoubleCall> {
  switch (index % 4) {
    case 0:
      return await browser.dial("9196");
    case 1:
      return await browser.dial("9204");
    case 2:
      await sandbox.ring(browser.dn, "1003", { talkAfterMs: 3 });
      return await browser.nextCall();
    default:
      await sandbox.makeCall(browser.dn, "9196");
      return await browser.nextCall();
  }
}

async function refused(call: DoubleCall, index: number): Promise<never> {
  throw new Error(`call ${index}: ${await call.when("failed")}`);
}

/** A call with sound there and back; either side hangs up. */
async function oneCall(browser: BrowserDouble, index: number, frames: readonly Buffer[]): Promise<void> {
  const before = records;
  const call = await begin(browser, index);
  await Promise.race([call.connected, refused(call, index)]);
  for (let sent = 0; call.media.received.length < 3 && sent < 250; sent++) {
    call.media.sendFrame(frames[sent % frames.length] ?? Buffer.alloc(0));
    await after(5);
  }
  expect(call.media.received.length, `sound in call ${index}`).toBeGreaterThanOrEqual(3);
  if (index % 3 === 0) for (const { uuid } of sandbox.calls()) sandbox.hangUp(uuid);
  else call.hangUp();
  await until(`record of call ${index}`, () => records > before);
  await browser.drop(call);
  browser.agent.events.length = 0;
}

async function run(count: number, frames: Frames): Promise<void> {
  const url = `ws://127.0.0.1:${gateway.httpPort}/ws`;
  const allowEvents = "talk, x-jackfield-trunk";
  const browsers = await Promise.all(
    (["opus", "pcmu"] as const).map((codec, index) =>
      BrowserDouble.signIn({ url, dn: `500${index + 1}`, codec, allowEvents, answerOnTalkMs: 0 }),
    ),
  );
  for (const browser of browsers) await browser.trunkState("in-service");
  for (let index = 0; index < count; index++) {
    // Four calls in a row by each, so that each has had every kind.
    const codec = (index >> 2) % 2 === 0 ? "opus" : "pcmu";
    const browser = browsers[codec === "opus" ? 0 : 1];
    if (browser) await oneCall(browser, index, frames[codec]);
  }
  await Promise.all(browsers.map((browser) => browser.signOut()));
}

const nothing = { calls: 0, dialogs: 0, transactions: 0, mediaSessions: 0, signedIn: 0, connections: 0 };

/** What the process holds of the event loop: how many timers, sockets ... */
function held(): Record<string, number> {
  const resources: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  return resources;
}

/** Until nothing of the calls is left, timers of transactions run out; then the heap. */
async function drained(): Promise<number> {
  const isEmpty = (): boolean => Object.values(gateway.counts).every((count) => count === 0);
  await until("gateway at rest", isEmpty, drainMs).catch(() => {});
  expect(gateway.counts).toEqual(nothing);
  await after(100);
  for (let turn = 0; turn < 4; turn++) {
    if (typeof collect === "function") collect();
    await after(20);
  }
  return objectBytes();
}

/** Bytes of all spaces that hold objects; in the others is code and bytecode. */
function objectBytes(): number {
  return getHeapSpaceStatistics()
    .filter(({ space_name: name }) => !/code|trusted/.test(name))
    .reduce((sum, space) => sum + space.space_used_size, 0);
}

/** Bytes of the media workers' objects and buffers: a snapshot of a thread's heap collects what nobody holds first. */
async function workerBytes(): Promise<number> {
  let bytes = 0;
  for (const worker of workers) {
    (await worker.getHeapSnapshot()).resume();
    const { used_heap_size: used, external_memory: external } = await worker.getHeapStatistics();
    bytes += used + external;
  }
  return bytes;
}

describe("200 calls one after another", () => {
  it(
    "leave no call, dialog, transaction, media session, timer, socket or memory behind",
    { timeout: 240_000 },
    async () => {
      const sound = voice(1);
      const frames = { opus: await encodeOpus(sound), pcmu: framesOf(toCodes(sound, "pcmu")) };
      await run(warmUpCalls, frames);
      const workersBefore = await workerBytes();
      const before = await drained();
      const heldBefore = held();
      await run(calls, frames);
      const afterwards = await drained();
      const workersAfterwards = await workerBytes();
      expect(records).toBe(warmUpCalls + calls);
      expect(sandbox.calls()).toEqual([]);
      // The test runner's own timers come and go.
      const more = (): string[] =>
        Object.entries(held())
          .filter(([name, count]) => count > (heldBefore[name] ?? 0))
          .map(([name, count]) => `${count} ${name}, ${heldBefore[name] ?? 0} before`);
      await until("no more than before", () => more().length === 0, drainMs).catch(() => {});
      expect(more()).toEqual([]);
      expect(afterwards - before).toBeLessThan(calls * mostHeapPerCall);
      expect(workersAfterwards - workersBefore).toBeLessThan(calls * mostWorkerHeapPerCall);
    },
  );

  it("give back every RTP port pair", async () => {
    const sessions = [];
    for (let pair = 0; pair < pairs; pair++) sessions.push(await gateway.media.open());
    expect(new Set(sessions.map(({ trunk }) => trunk.port)).size).toBe(pairs);
    await expect(gateway.media.open()).rejects.toThrow(
      /no free RTP|no media worker has a free RTP port pair/,
    );
    for (const session of sessions) session.close("counted");
    await until("sessions closed", () => gateway.media.sessions === 0);
  });
});
