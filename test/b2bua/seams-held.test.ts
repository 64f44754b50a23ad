import { describe, expect, it } from "vitest";
import { createResponse } from "../../src/sip/index.ts";
import { browserAnswer, TransferBench } from "../support/transfer-bench.ts";
import { genesysSdp } from "../support/descriptions.ts";
import { sideStatistics } from "../support/side-statistics.ts";

/** A running call with media counters each 5 s, which the test lets grow or stand still. */
class HeldBench extends TransferBench {
  flowing = true;
  /** The page is there: without it no counters come. */
  counted = true;
  #packets = 0;

  async passWithMedia(ms: number): Promise<void> {
    for (let done = 0; done < ms; done += 5000) {
      if (this.flowing) this.#packets += 250;
      const trunk = { ...sideStatistics, packetsReceived: this.#packets };
      const { last } = this.media;
      if (!last.closed && this.counted) last.events.emit("quality", { browser: sideStatistics, trunk });
      await this.clock.advanceAsync(5000, 500);
    }
  }

  async begun(): Promise<void> {
    await this.callAgent();
    this.browser.received.accept(browserAnswer);
    await this.pass();
    await this.passWithMedia(20_000);
  }

  async heldBySipServer(): Promise<void> {
    this.trunk.outgoing?.session.request("NOTIFY", [["Event", "hold"]]);
    await this.pass();
    this.flowing = false;
  }

  get asked(): number {
    return this.network.startLines("192.0.2.20:5070").filter((line) => line.startsWith("OPTIONS ")).length;
  }
}

describe("a held call, to which nothing need be sent", () => {
  it("outlives a session timer that nobody refreshes, and SIP Server is asked whether it has the call", async () => {
    const bench = new HeldBench();
    bench.trunk.headers = [["Supported", "timer"]];
    bench.trunk.terms = {
      options: ["timer"],
      timer: { offerSeconds: 90, minSeconds: 90, refresher: "us" },
    };
    bench.trunk.user.hears = true;
    await bench.begun();
    await bench.heldBySipServer();
    bench.network.drop = (from, text) => from === "192.0.2.10:5060" && /^(UPDATE|INVITE|BYE) /.test(text);
    bench.trunk.user.onRequestReceived = (request, transaction) =>
      transaction.respond(createResponse(request, 200));
    await bench.passWithMedia(600_000);
    expect(bench.records).toEqual([]);
    expect(bench.asked).toBeGreaterThan(0);
  });

  it("held by SIP Server's own re-INVITE, without music, outlives it likewise", async () => {
    const bench = new HeldBench();
    await bench.begun();
    bench.trunk.outgoing?.session.reinvite(() => genesysSdp({ direction: "sendonly" }), {
      onAnswer: () => undefined,
    });
    await bench.pass();
    bench.flowing = false;
    bench.network.drop = (from) => from === "192.0.2.10:5060";
    bench.b2bua.serverDown(bench.toTrunk);
    await bench.passWithMedia(600_000);
    expect(bench.records).toEqual([]);
  });

  it("ends once it is retrieved and neither an answer nor sound comes", async () => {
    const bench = new HeldBench();
    await bench.begun();
    await bench.heldBySipServer();
    await bench.passWithMedia(60_000);
    bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "talk"]]);
    bench.network.drop = (from) => from === "192.0.2.10:5060";
    await bench.passWithMedia(10_000);
    expect(bench.records).toEqual([]);
    await bench.passWithMedia(60_000);
    expect(bench.records).toHaveLength(1);
  });

  it("that SIP Server says it does not know any more ends, though nothing was expected of it", async () => {
    const bench = new HeldBench();
    await bench.begun();
    await bench.heldBySipServer();
    await bench.passWithMedia(30_000);
    bench.trunk.dispatcher.remove(bench.trunk.outgoing?.session.dialog?.key ?? "");
    bench.b2bua.serverDown(bench.toTrunk);
    await bench.passWithMedia(60_000);
    expect(bench.records).toMatchObject([
      { reason: "SIP Server no longer knows the call, and no media comes" },
    ]);
  });
});

it("a call whose page is away, so that nothing is counted, is not found silent for that", async () => {
  const bench = new HeldBench();
  await bench.begun();
  bench.counted = false;
  bench.network.drop = (from) => from === "192.0.2.10:5060";
  bench.b2bua.serverDown(bench.toTrunk);
  await bench.passWithMedia(300_000);
  expect(bench.records).toEqual([]);
  bench.counted = true;
  bench.flowing = false;
  await bench.passWithMedia(90_000);
  expect(bench.records).toHaveLength(1);
});
