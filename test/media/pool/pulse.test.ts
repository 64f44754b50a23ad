import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { silentLogger, systemRandom } from "../../../src/core/index.ts";
import { createMediaPool } from "../../../src/media/index.ts";
import { Pulse, pulseMs } from "../../../src/media/pool/pulse.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { once, until } from "./pool-double.ts";

async function beats(clock: FakeClock, count: number): Promise<void> {
  for (let beat = 0; beat < count; beat++) {
    clock.advance(pulseMs);
    await Promise.resolve();
  }
}

describe("the pulse of a worker", () => {
  it("is lost after three beats without an answer, and told once", async () => {
    const clock = new FakeClock();
    let asked = 0;
    let lost = 0;
    const pulse = new Pulse(
      clock,
      () => {
        asked++;
        return new Promise(() => {});
      },
      () => lost++,
    );
    pulse.start();
    await beats(clock, 3);
    expect([asked, lost]).toEqual([1, 0]);
    await beats(clock, 1);
    expect([asked, lost, clock.pendingTimers]).toEqual([1, 1, 0]);
    await beats(clock, 10);
    expect(lost).toBe(1);
  });

  it("goes on while answers come, though one be late", async () => {
    const clock = new FakeClock();
    let answer = (): void => {};
    let lost = 0;
    const pulse = new Pulse(
      clock,
      () => new Promise<void>((resolve) => (answer = resolve)),
      () => lost++,
    );
    pulse.start();
    for (let round = 0; round < 5; round++) {
      await beats(clock, 3);
      answer();
      await Promise.resolve();
    }
    expect(lost).toBe(0);
    pulse.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});

/** A thread that says it is ready, opens what it is told to and hangs when it is to connect. */
const hanging = `
const { parentPort } = require("node:worker_threads");
parentPort.on("message", ({ type, session, request }) => {
  if (type === "open") parentPort.postMessage({ type: "opened", session, ice: {}, ssrc: 1, trunkPort: 2 });
  if (type === "stop") process.exit();
  while (type === "connect");
});
parentPort.postMessage({ type: "ready", browserPort: 1 });
`;

describe("a worker that hangs", () => {
  it("is ended with its calls, those waiting to be opened are refused, and another is started", async () => {
    const clock = new FakeClock();
    let spawned = 0;
    const pool = await createMediaPool(
      {
        host: "127.0.0.1",
        advertisedAddress: "127.0.0.1",
        browserPort: 0,
        rtpPorts: [40_000, 40_001],
        workers: 1,
      },
      {
        log: silentLogger,
        clock,
        random: systemRandom,
        spawn: () => {
          spawned++;
          return new Worker(hanging, { eval: true });
        },
      },
    );
    const session = await pool.open();
    const closed = once(session, "closed");
    session.connect();
    const opening = pool.open();
    await beats(clock, 4);
    expect((await closed)[0]).toBe("media worker failed: gives no sign of life");
    await expect(opening).rejects.toThrow("media worker failed: gives no sign of life");
    clock.advance(1);
    await until(() => spawned === 2);
    await pool.close();
    expect(clock.pendingTimers).toBe(0);
  });
});
