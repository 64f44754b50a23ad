import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { CaptureOptions, MediaPool } from "../../../src/media/index.ts";
import { readPcap, type CapturedPacket } from "../../support/pcap-reader.ts";
import { toCodes, voice } from "../../support/sound.ts";
import { pcmu, rtp } from "../relay/relay-double.ts";
import { openCall, openPool, started, until, type Call } from "./pool-double.ts";

// Threads are started and the machine may be busy.
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

const directory = mkdtempSync(join(tmpdir(), "jackfield-capture-"));
let pool: MediaPool;
const calls: Call[] = [];
beforeAll(async () => {
  pool = await openPool({ captureDirectory: directory });
});
afterEach(async () => {
  for (const call of calls.splice(0)) {
    call.session.close("test over");
    await call.close();
  }
  await until(() => pool.sessions === 0);
});
afterAll(async () => {
  await pool.close();
  rmSync(directory, { recursive: true });
});

const withEvents = { ...pcmu, telephoneEvent: { payloadType: 101, clockRate: 8000 } } as const;
const codes = toCodes(voice(1), "pcmu");
const frame = (index: number): Buffer => codes.subarray(index * 160, index * 160 + 160);
const options: CaptureOptions = { label: "call-1", durationMs: 60_000, bytes: 1_000_000, payload: false };

async function openedCall(from: MediaPool = pool): Promise<Call> {
  const call = await openCall(from, withEvents, withEvents);
  calls.push(call);
  return call;
}

/** Speaks both ways and presses a key each way; resolves when all that has arrived. */
async function speak({ browser, trunk, session }: Call, frames: number, first = 0): Promise<void> {
  let heard = 0;
  browser.onRtp = () => heard++;
  for (let index = first; index < first + frames; index++) {
    browser.sendRtp(rtp(0, index, index * 160, frame(index)));
    trunk.send(rtp(0, index, index * 160, frame(index), { ssrc: 9 }), session);
  }
  const digit = Buffer.from([7, 0x8a, 3, 32]);
  const next = first + frames;
  browser.sendRtp(rtp(101, next, next * 160, digit));
  trunk.send(rtp(101, next, next * 160, digit, { ssrc: 9 }), session);
  await until(() => trunk.received.length > next && heard > frames);
}

function packetsOf(file: string): CapturedPacket[] {
  return readPcap(readFileSync(join(directory, file)));
}

describe("a capture of a call", () => {
  it.each([false, true])(
    "holds both directions of both sides as plain RTP (payload: %s)",
    async (payload) => {
      const call = await openedCall();
      const capture = await call.session.startCapture({ ...options, payload });
      expect(call.session.capture).toBe(capture);
      await speak(call, 20);
      call.session.close("over");
      const result = await capture.ended;
      expect(result).toMatchObject({ file: capture.file, leftOut: 0, reason: "call ended" });
      expect(capture.file).toMatch(/^call-1-\d{8}T\d{6}\.\d{3}Z\.pcap$/);
      const { mode, size } = statSync(join(directory, capture.file));
      expect(mode & 0o777).toBe(0o600);
      expect(size).toBe(result.bytes);
      const packets = packetsOf(capture.file);
      expect(packets).toHaveLength(result.packets);
      const { session, trunk, browser } = call;
      const [ours, ourTrunk] = [`127.0.0.1:${session.browser.port}`, `127.0.0.1:${session.trunk.port}`];
      const between = (from: string, to: string): CapturedPacket[] =>
        packets.filter((packet) => packet.from === from && packet.to === to);
      const far = { browser: `127.0.0.1:${browser.port}`, trunk: `127.0.0.1:${trunk.port}` };
      const ways = [
        between(far.browser, ours),
        between(ours, far.browser),
        between(far.trunk, ourTrunk),
        between(ourTrunk, far.trunk),
      ];
      for (const way of ways) {
        const sound = way.filter(({ data }) => ((data[1] ?? 0) & 0x7f) === 0);
        expect(sound.length).toBeGreaterThanOrEqual(20);
        for (const { data, length } of sound)
          expect([length, data.length]).toEqual([172, payload ? 172 : 12]);
        const events = way.filter(({ data }) => ((data[1] ?? 0) & 0x7f) === 101);
        expect(events.length).toBeGreaterThan(0);
        for (const { data, length } of events) expect([length, data.length]).toEqual([16, payload ? 16 : 12]);
      }
      // The BYE at the end.
      const rtcp = between(`127.0.0.1:${session.trunk.port + 1}`, `127.0.0.1:${trunk.rtcpPort}`);
      expect(rtcp.some(({ data }) => data.includes(Buffer.from([0x81, 203])))).toBe(true);
      const content = readFileSync(join(directory, capture.file));
      expect(content.includes(frame(5).subarray(0, 8))).toBe(payload);
    },
  );

  it("takes in what it is told to and no packet after its end", async () => {
    const call = await openedCall();
    const capture = await call.session.startCapture(options);
    await speak(call, 5);
    capture.stop();
    capture.stop();
    const { packets, reason } = await capture.ended;
    expect(reason).toBe("stopped");
    expect(call.session.capture).toBeUndefined();
    await speak(call, 5, 6);
    expect(packetsOf(capture.file)).toHaveLength(packets);
    // Another of the same call is another file.
    const second = await call.session.startCapture(options);
    expect(second.file).not.toBe(capture.file);
    second.stop();
    await second.ended;
  });

  it("is one of its call, and one of four in the process", async () => {
    const opened = await Promise.all(Array.from({ length: 5 }, () => openedCall()));
    const begin = ({ session }: Call, index: number) =>
      session.startCapture({ ...options, label: `call-1-${index}` });
    const running = await Promise.all(opened.slice(0, 4).map(begin));
    await expect(opened[0]?.session.startCapture(options)).rejects.toMatchObject({ refusal: "running" });
    await expect(opened[4]?.session.startCapture(options)).rejects.toMatchObject({ refusal: "limit" });
    running[2]?.stop();
    await running[2]?.ended;
    running.push(...(await Promise.all(opened.slice(4).map(begin))));
    expect(new Set(running.map(({ file }) => file)).size).toBe(5);
    for (const capture of running) capture.stop();
    await Promise.all(running.map(({ ended }) => ended));
  });

  it("is refused where its bounds are none, where no folder is, and of a session that is closed", async () => {
    const { session } = await openedCall();
    for (const wrong of [{ durationMs: 600_001 }, { bytes: 0 }, { label: "../x" }, { bytes: NaN }])
      await expect(session.startCapture({ ...options, ...wrong })).rejects.toThrow(RangeError);
    session.close("over");
    await expect(session.startCapture(options)).rejects.toMatchObject({ refusal: "no-media" });
    const off = await openPool();
    const { session: without } = await openedCall(off);
    await expect(without.startCapture(options)).rejects.toMatchObject({ refusal: "off" });
    await off.close();
    expect(readdirSync(directory).every((name) => name.startsWith("call-1-"))).toBe(true);
  });

  it("is refused with the system's word when its file cannot be made, and leaves no trace", async () => {
    const lost = await openPool({ captureDirectory: join(directory, "nowhere") });
    const { session } = await openedCall(lost);
    for (let turn = 0; turn < 5; turn++)
      await expect(session.startCapture(options)).rejects.toThrow(/ENOENT/);
    expect(session.capture).toBeUndefined();
    await lost.close();
  });

  it("ends with the pool, its file whole; and with a worker that dies", async () => {
    const other = await openPool({ captureDirectory: directory });
    const call = await openedCall(other);
    const capture = await call.session.startCapture(options);
    await speak(call, 5);
    await other.close();
    const result = await capture.ended;
    expect(result.reason).toBe("call ended");
    expect(packetsOf(capture.file)).toHaveLength(result.packets);

    const dying = await openPool({ captureDirectory: directory });
    const { session } = await openedCall(dying);
    const cut = await session.startCapture(options);
    await started.at(-1)?.terminate();
    expect(await cut.ended).toMatchObject({ reason: "media worker failed" });
    await dying.close();
  });
});
