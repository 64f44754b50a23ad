import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/index.ts";
import type { CaptureFile } from "../../../src/media/capture/file.ts";
import type { PacketTap } from "../../../src/media/capture/tap.ts";
import { WorkerCaptures } from "../../../src/media/capture/worker-captures.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { rtp } from "../relay/relay-double.ts";
import { MemoryFile, order } from "./capture-double.ts";

/** A session that shows what taps it has. */
class TappedSession {
  browser: PacketTap | undefined;
  trunk: PacketTap | undefined;

  setTaps(browser: PacketTap | undefined, trunk: PacketTap | undefined): void {
    this.browser = browser;
    this.trunk = trunk;
  }
}

const ends = { host: "0.0.0.0", trunkHost: "0.0.0.0", browserPort: 20_100, trunkPort: 10_000 };
const packet = rtp(0, 1, 160, Buffer.alloc(160, 0x55));

function made(open: () => Promise<CaptureFile> = () => Promise.resolve(new MemoryFile())) {
  const clock = new FakeClock();
  return { clock, captures: new WorkerCaptures(clock, silentLogger, open), session: new TappedSession() };
}

describe("the captures of a worker", () => {
  it("tap both sides while they run, and not a packet longer", async () => {
    const file = new MemoryFile();
    const { captures, session, clock } = made(() => Promise.resolve(file));
    expect(await captures.start("a", session, ends, order)).toEqual({ ok: true });
    session.browser?.rtp(true, packet, packet.length, "192.0.2.8", 6000);
    session.trunk?.rtcp(false, Buffer.from("80c9000100000001", "hex"), 8, "192.0.2.9", 7001);
    const result = captures.result("a");
    captures.end("a", "call ended");
    expect(session).toMatchObject({ browser: undefined, trunk: undefined });
    expect(await result).toMatchObject({ packets: 2, reason: "call ended" });
    // Bound to any address: the one that others use stands for it.
    expect(file.packets).toMatchObject([
      { from: "203.0.113.10:20100", to: "192.0.2.8:6000" },
      { from: "192.0.2.9:7001", to: "203.0.113.10:10001" },
    ]);
    expect(await captures.result("a")).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });

  it("are one of each session at a time", async () => {
    const { captures, session } = made();
    await captures.start("a", session, ends, order);
    expect(await captures.start("a", session, ends, order)).toMatchObject({ ok: false });
    expect(await captures.start("b", new TappedSession(), ends, order)).toEqual({ ok: true });
    captures.end("a", "stopped");
    await captures.result("a");
    expect(await captures.start("a", session, ends, order)).toEqual({ ok: true });
    for (const id of ["a", "b"]) captures.end(id, "stopped");
    await captures.allEnded();
  });

  it("tell why a file could not be made, and tap nothing", async () => {
    const { captures, session } = made(() =>
      Promise.reject(Object.assign(new Error("no"), { code: "EACCES" })),
    );
    const start = captures.start("a", session, ends, order);
    const result = captures.result("a");
    expect(await start).toEqual({ ok: false, reason: "EACCES" });
    expect(await result).toBeUndefined();
    expect(session.browser).toBeUndefined();
  });

  it("end at once where the call ends while the file is being made", async () => {
    const file = new MemoryFile();
    let opened: (file: CaptureFile) => void = () => {};
    const { captures, session, clock } = made(() => new Promise((resolve) => (opened = resolve)));
    const start = captures.start("a", session, ends, order);
    const result = captures.result("a");
    captures.end("a", "call ended");
    opened(file);
    expect(await start).toEqual({ ok: true });
    expect(await result).toMatchObject({ packets: 0, bytes: 24, reason: "call ended" });
    expect(session.browser).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });
});
