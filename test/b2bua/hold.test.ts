import { describe, expect, it } from "vitest";
import type { MediaStatistics } from "../../src/media/index.ts";
import { B2buaBench, nothingLeft } from "../support/b2bua-bench.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";

function directionOf(sdp: string): string {
  return /^a=(sendrecv|sendonly|recvonly|inactive)\r$/m.exec(sdp)?.[1] ?? "none";
}

/** An established call whose far ends write down what they are told. */
class HeldCall {
  readonly bench = new B2buaBench({ allowEvents: ["talk", "hold"] });
  /** Directions of our re-INVITEs to SIP Server. */
  readonly offers: string[] = [];
  /** What SIP Server answers the next ones with instead of 200. */
  readonly refusals: number[] = [];
  /** The page does as the shipped one: holds on `hold`, retrieves on `talk`. */
  readonly obeys: boolean;
  #pageHolds = false;
  #seen = 0;

  constructor(obeys = false) {
    this.obeys = obeys;
    this.bench.trunk.user.onOfferReceived = (sdp, reply) => {
      this.offers.push(directionOf(sdp));
      const refusal = this.refusals.shift();
      if (refusal !== undefined) return reply.reject(refusal);
      reply.accept(genesysSdp({ direction: this.offers.at(-1) === "sendonly" ? "recvonly" : "sendrecv" }));
    };
  }

  async start(): Promise<this> {
    await this.bench.established();
    return this;
  }

  async notify(event: "talk" | "hold"): Promise<void> {
    this.bench.trunk.outgoing?.session.request("NOTIFY", [["Event", event]]);
    await this.settle();
  }

  async page(holds: boolean): Promise<void> {
    this.#pageHolds = holds;
    const sdp = () => browserSdp({ direction: holds ? "sendonly" : "sendrecv" });
    this.bench.browser.received.session.reinvite(sdp, { onAnswer: () => undefined });
    await this.settle();
  }

  /** SIP Server's own re-INVITE; resolves with the direction of our answer. */
  async reinvite(direction: string): Promise<string> {
    const answers: string[] = [];
    this.bench.trunk.outgoing?.session.reinvite(() => genesysSdp({ direction }), {
      onAnswer: (sdp) => void answers.push(directionOf(sdp)),
    });
    await this.settle();
    return answers[0] ?? "none";
  }

  async settle(ms = 20): Promise<void> {
    await this.bench.pass(ms);
    if (!this.obeys) return;
    const fresh = this.bench.browser.events.slice(this.#seen);
    this.#seen = this.bench.browser.events.length;
    for (const { headers } of fresh) {
      const holds = headers.get("Event") === "hold";
      if (holds !== this.#pageHolds) await this.page(holds);
    }
  }

  get told(): (string | undefined)[] {
    return this.bench.browser.events.map(({ headers }) => headers.get("Event"));
  }

  /** Direction of the relay on SIP Server's side, as last told. */
  get relay(): string {
    const last = this.bench.media.last.told.findLast((entry) => entry.startsWith("trunk "));
    return last?.split(" ").at(-1) ?? "untouched";
  }
}

describe("hold and retrieve", () => {
  it.each([true, false])(
    "by the page, and again; SIP Server hears of each once (page shows remote holds: %s)",
    async (obeys) => {
      const call = await new HeldCall(obeys).start();
      await call.page(true);
      expect([call.offers, call.relay]).toEqual([["sendonly"], "inactive"]);
      await call.page(false);
      expect([call.offers, call.relay]).toEqual([["sendonly", "sendrecv"], "sendrecv"]);
      expect(call.told).toEqual([]);
    },
  );

  it.each([true, false])("by NOTIFY, told to the page (which shows it: %s)", async (obeys) => {
    const call = await new HeldCall(obeys).start();
    await call.notify("hold");
    expect([call.offers, call.relay, call.told]).toEqual([["sendonly"], "inactive", ["hold"]]);
    await call.notify("talk");
    await call.settle();
    expect([call.offers, call.relay, call.told]).toEqual([
      ["sendonly", "sendrecv"],
      "sendrecv",
      ["hold", "talk"],
    ]);
  });

  it("the page retrieves what NOTIFY held", async () => {
    const call = await new HeldCall(true).start();
    await call.notify("hold");
    await call.page(false);
    expect([call.offers, call.relay]).toEqual([["sendonly", "sendrecv"], "sendrecv"]);
    await call.notify("talk");
    expect(call.offers).toEqual(["sendonly", "sendrecv"]);
  });

  it("NOTIFY talk asks the page that holds to retrieve, and the call is held until it does", async () => {
    const call = await new HeldCall().start();
    await call.page(true);
    await call.notify("talk");
    expect([call.offers, call.relay, call.told]).toEqual([["sendonly"], "inactive", ["talk"]]);
    await call.page(false);
    expect([call.offers, call.relay]).toEqual([["sendonly", "sendrecv"], "sendrecv"]);
  });

  it("both hold: NOTIFY talk frees SIP Server's part, the page's re-INVITE the rest", async () => {
    const call = await new HeldCall().start();
    await call.page(true);
    await call.notify("hold");
    await call.notify("talk");
    expect(call.offers).toEqual(["sendonly"]);
    await call.page(false);
    expect(call.offers).toEqual(["sendonly", "sendrecv"]);
  });

  it("an ICE restart of a page that holds not retrieves nothing that NOTIFY held", async () => {
    const call = await new HeldCall().start();
    await call.notify("hold");
    const restart = () => browserSdp({ ufrag: "moved" });
    call.bench.browser.received.session.reinvite(restart, { onAnswer: () => undefined });
    await call.settle();
    expect([call.offers, call.relay]).toEqual([["sendonly"], "inactive"]);
  });

  it("SIP Server's own hold and ours come and go apart", async () => {
    const call = await new HeldCall().start();
    expect(await call.reinvite("sendonly")).toBe("recvonly");
    await call.page(true);
    expect(call.offers).toEqual(["sendonly"]);
    expect(await call.reinvite("sendrecv")).toBe("sendonly");
    expect(call.relay).toBe("inactive");
    expect(await call.reinvite("sendonly")).toBe("inactive");
    expect(await call.reinvite("inactive")).toBe("inactive");
    await call.page(false);
    expect(call.offers).toEqual(["sendonly", "sendrecv"]);
    expect(call.told).toEqual([]);
  });

  it("a page that comes back by another connection is told again that its call is held", async () => {
    const call = await new HeldCall().start();
    await call.notify("hold");
    call.bench.registrarEvents.emit("flow-resumed", call.bench.presence);
    await call.settle();
    expect(call.told).toEqual(["hold", "hold"]);
  });

  it("of a browser that answers with a=sendonly holds from the start", async () => {
    const call = new HeldCall();
    await call.bench.callAgent();
    const held = browserSdp({ setup: "active", payloads: "111 110", direction: "sendonly" });
    call.bench.browser.received.accept(held);
    await call.settle();
    expect(directionOf(call.bench.trunk.user.told.at(-1) ?? "")).toBe("sendonly");
    expect(call.relay).toBe("inactive");
  });
});

describe("hold in every order", () => {
  const steps = ["page holds", "page retrieves", "NOTIFY hold", "NOTIFY talk"] as const;
  const orders = steps.flatMap((one) => steps.flatMap((two) => steps.map((three) => [one, two, three])));

  it("what SIP Server knows and what the relay does agree after each of 64 rows of three", async () => {
    for (const order of orders) {
      const call = await new HeldCall(true).start();
      for (const step of order) {
        if (step.startsWith("NOTIFY")) await call.notify(step === "NOTIFY hold" ? "hold" : "talk");
        else await call.page(step === "page holds");
        await call.settle();
      }
      // The shipped page does as it is told, so whoever spoke last has it his way.
      const held = order.at(-1) === "page holds" || order.at(-1) === "NOTIFY hold";
      expect([order, call.offers.at(-1) ?? "sendrecv"]).toEqual([order, held ? "sendonly" : "sendrecv"]);
      if (call.relay !== "untouched")
        expect([order, call.relay]).toEqual([order, held ? "inactive" : "sendrecv"]);
      // Each re-INVITE says something new.
      for (const [at, offer] of call.offers.entries())
        expect(offer).not.toBe(call.offers[at - 1] ?? "sendrecv");
    }
  });
});

describe("glare", () => {
  it("of our hold and SIP Server's re-INVITE: both get 491, both come again, the hold stands", async () => {
    const call = await new HeldCall().start();
    const { bench } = call;
    const results: string[] = [];
    // Each side's goes out before the other's has arrived.
    bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "hold"]]);
    bench.clock.advance(1);
    bench.trunk.outgoing?.session.reinvite(() => genesysSdp({ port: 9000 }), {
      onAnswer: (sdp) => void results.push(directionOf(sdp)),
    });
    await call.settle(10_000);
    const crossed = bench.network.sent.filter(({ text }) => text.startsWith("SIP/2.0 491"));
    expect(new Set(crossed.map(({ from }) => from)).size).toBe(2);
    expect(call.offers.at(-1)).toBe("sendonly");
    expect(results).toEqual(["sendonly"]);
    expect(call.relay).toBe("inactive");
    expect(bench.b2bua.size).toBe(1);
  });

  it("NOTIFY hold while SIP Server's re-INVITE waits for its ACK: that first, then ours", async () => {
    const call = await new HeldCall().start();
    const { bench } = call;
    bench.network.drop = (from, text) => from.startsWith("192.0.2.10") && text.startsWith("ACK");
    bench.trunk.outgoing?.session.reinvite(() => genesysSdp({ port: 9000 }), { onAnswer: () => undefined });
    await call.settle();
    await call.notify("hold");
    expect(call.offers).toEqual([]);
    bench.network.drop = () => false;
    await call.settle(600);
    expect(call.offers).toEqual(["sendonly"]);
  });

  it("hold and talk at once, before the first is answered, end as talking", async () => {
    const call = await new HeldCall().start();
    const session = call.bench.trunk.outgoing?.session;
    for (const event of ["hold", "talk", "hold", "talk"]) session?.request("NOTIFY", [["Event", event]]);
    await call.settle(5000);
    expect([call.offers.at(-1), call.relay]).toEqual(["sendrecv", "sendrecv"]);
    expect(call.offers.length).toBeLessThanOrEqual(4);
  });

  it("BYE that crosses our hold ends both sides and leaves nothing", async () => {
    const call = await new HeldCall().start();
    const { bench } = call;
    bench.trunk.user.onOfferReceived = () => bench.trunk.outgoing?.session.bye();
    await call.notify("hold");
    await call.settle(100);
    expect(bench.browser.user.told).toEqual([expect.stringMatching(/^ended BYE/)]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});

describe("a hold that SIP Server refuses", () => {
  it.each([488, 403, 603])(
    "with %i stays where the agent is: nothing is sent, and it can be retrieved",
    async (status) => {
      const call = await new HeldCall().start();
      call.refusals.push(status);
      await call.page(true);
      await call.settle(10_000);
      expect([call.offers, call.relay]).toEqual([["sendonly"], "recvonly"]);
      await call.page(false);
      expect([call.offers, call.relay]).toEqual([["sendonly", "sendrecv"], "sendrecv"]);
    },
  );

  it("with 500 is offered again, three times at most", async () => {
    const call = await new HeldCall().start();
    call.refusals.push(500);
    await call.notify("hold");
    await call.settle(2100);
    expect(call.offers).toEqual(["sendonly", "sendonly"]);
    call.refusals.push(500, 503, 500, 504, 500);
    await call.notify("talk");
    await call.settle(20_000);
    expect(call.offers).toHaveLength(2 + 4);
    call.bench.b2bua.close("end of test");
    expect(await call.bench.remains()).toEqual(nothingLeft);
  });

  it("a retrieve refused leaves the call held, says so to the page, and can be tried again", async () => {
    const call = await new HeldCall(true).start();
    await call.notify("hold");
    call.refusals.push(488);
    await call.notify("talk");
    await call.settle(100);
    expect([call.told.at(-1), call.relay]).toEqual(["hold", "inactive"]);
    await call.notify("talk");
    await call.settle(100);
    expect([call.offers.at(-1), call.relay]).toEqual(["sendrecv", "sendrecv"]);
  });

  it("is not offered again by a call that has ended meanwhile", async () => {
    const call = await new HeldCall().start();
    call.refusals.push(500);
    await call.notify("hold");
    call.bench.trunk.outgoing?.session.bye();
    await call.settle(5000);
    expect(call.offers).toEqual(["sendonly"]);
    expect(await call.bench.remains()).toEqual(nothingLeft);
  });

  it("one never answered while sound goes on coming stays, and the call with it", async () => {
    const call = await new HeldCall().start();
    const { bench } = call;
    bench.network.drop = (from, text) => from.startsWith("192.0.2.20") && text.startsWith("INVITE");
    bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "hold"]]);
    for (let packets = 100; packets < 900; packets += 100) {
      const side = { packetsReceived: packets, received: {}, sent: {} };
      bench.media.last.events.emit("quality", { browser: side, trunk: side } as unknown as MediaStatistics);
      await call.settle(5000);
    }
    expect([bench.b2bua.size, call.relay]).toEqual([1, "recvonly"]);
    bench.network.drop = () => false;
    await call.notify("talk");
    expect([call.offers, call.relay]).toEqual([["sendrecv"], "sendrecv"]);
  });

  it("a re-INVITE that SIP Server never answers ends the call on both sides (RFC 3261 14.1)", async () => {
    const call = await new HeldCall().start();
    const { bench } = call;
    bench.network.drop = (from) => from.startsWith("192.0.2.10");
    bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "hold"]]);
    bench.network.drop = (from, text) => from.startsWith("192.0.2.20") && text.startsWith("INVITE");
    await call.settle(33_000);
    expect(bench.b2bua.size).toBe(0);
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});
