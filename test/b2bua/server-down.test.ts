import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { B2buaBench, nothingLeft } from "../support/b2bua-bench.ts";
import { sideStatistics as side } from "../support/side-statistics.ts";

/** An established call whose SIP Server can be silent, with media that the test lets flow or stop. */
class Outage extends B2buaBench {
  flowing = true;
  #packets = 0;

  silence(): void {
    this.network.drop = (from) => from === "192.0.2.10:5060";
    this.b2bua.serverDown(this.toTrunk);
  }

  speak(): void {
    this.network.drop = () => false;
  }

  /** Media counters come each 5 s, as from a worker. */
  async passWithMedia(ms: number): Promise<void> {
    for (let done = 0; done < ms; done += 5000) {
      if (this.flowing) this.#packets += 250;
      const trunk = { ...side, packetsReceived: this.#packets };
      const { last } = this.media;
      if (!last.closed) last.events.emit("quality", { browser: side, trunk });
      await this.clock.advanceAsync(5000, 500);
    }
  }

  /** Questions within the dialog, repeats included. */
  get options(): number {
    return this.network.startLines("192.0.2.20:5070").filter((line) => line.startsWith("OPTIONS ")).length;
  }
}

describe("a running call whose SIP Server is down", () => {
  let bench: Outage;

  beforeEach(async () => {
    bench = new Outage();
    await bench.established();
    await bench.passWithMedia(10_000);
  });

  afterEach(async () => {
    bench.speak();
    for (const end of [bench.trunk, bench.browser]) end.user.onRequestReceived = () => {};
    bench.b2bua.close("test is over");
    await bench.pass();
    expect(await bench.remains()).toMatchObject({ ...nothingLeft, dialogs: 0 });
  });

  it("goes on as long as media flows, asked about once or twice a minute", async () => {
    bench.silence();
    await bench.passWithMedia(600_000);
    expect(bench.b2bua.size).toBe(1);
    expect(bench.browser.user.told).toEqual([]);
    // Each goes out four times within its 4 s.
    expect(bench.options / 4).toBeGreaterThan(12);
    expect(bench.options / 4).toBeLessThan(30);
  });

  it("ends with a reason when media stops, too, after several unanswered questions", async () => {
    bench.silence();
    bench.flowing = false;
    await bench.passWithMedia(60_000);
    expect(bench.b2bua.size).toBe(1);
    await bench.passWithMedia(90_000);
    expect(bench.records).toMatchObject([
      { endedBy: "jackfield", reason: "SIP Server does not answer, and no media comes", status: 408 },
    ]);
    expect(bench.browser.user.told.join()).toContain("SIP Server does not answer");
  });

  it("is asked nothing more once SIP Server answers within the dialog", async () => {
    bench.trunk.user.onRequestReceived = (_request, transaction) =>
      bench.trunk.outgoing?.session.respond(transaction, 200);
    bench.silence();
    await bench.passWithMedia(60_000);
    bench.speak();
    await bench.passWithMedia(60_000);
    const asked = bench.options;
    await bench.passWithMedia(300_000);
    expect(bench.options).toBe(asked);
    bench.flowing = false;
    await bench.passWithMedia(300_000);
    expect(bench.b2bua.size).toBe(1);
  });

  it("outlives a restarted SIP Server that knows the call no more, until the far side hangs up", async () => {
    bench.silence();
    await bench.passWithMedia(30_000);
    bench.speak();
    bench.trunk.dispatcher.remove(bench.trunk.outgoing?.session.dialog?.key ?? "");
    await bench.passWithMedia(120_000);
    expect(bench.b2bua.size).toBe(1);
    bench.flowing = false;
    await bench.passWithMedia(60_000);
    expect(bench.records).toMatchObject([
      { reason: "SIP Server no longer knows the call, and no media comes" },
    ]);
  });

  it("outlives a re-INVITE of ours that is not answered, and starts asking by itself", async () => {
    bench.network.drop = (from, text) => from === "192.0.2.10:5060" && !text.startsWith("NOTIFY ");
    bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "hold"]]);
    await bench.passWithMedia(120_000);
    expect(bench.network.startLines("192.0.2.20:5070").some((line) => line.startsWith("INVITE "))).toBe(true);
    expect(bench.b2bua.size).toBe(1);
    expect(bench.options).toBeGreaterThan(0);
  });

  it("that has no media ends with such a re-INVITE at once, as RFC 3261 12.2.1.2 says", async () => {
    bench.flowing = false;
    await bench.passWithMedia(30_000);
    bench.network.drop = (from, text) => from === "192.0.2.10:5060" && !text.startsWith("NOTIFY ");
    bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "hold"]]);
    await bench.passWithMedia(40_000);
    expect(bench.records[0]?.reason).toBe("SIP Server: 408 re-INVITE not answered in time (our re-INVITE)");
  });

  it("of another server is not asked about", async () => {
    const another = { ...bench.toTrunk, remoteAddress: "192.0.2.11" };
    bench.b2bua.serverDown(another);
    await bench.passWithMedia(120_000);
    expect(bench.options).toBe(0);
    expect(bench.b2bua.hasCallAt(bench.toTrunk)).toBe(true);
    expect(bench.b2bua.hasCallAt(another)).toBe(false);
  });
});
