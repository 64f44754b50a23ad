import { describe, expect, it } from "vitest";
import type { Flow } from "../../src/sip/index.ts";
import { B2buaBench, nothingLeft, type BenchOptions } from "../support/b2bua-bench.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";

const answer = browserSdp({ setup: "active", payloads: "111 110" });

/** A bench whose browser can lose its connection and come back by another. */
class Reconnecting extends B2buaBench {
  #waiting: ((flow: Flow | undefined) => void)[] = [];

  constructor(options: BenchOptions = {}) {
    super(options);
    this.presence.waitForFlow = () =>
      this.presence.flow
        ? Promise.resolve(this.presence.flow)
        : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** As src/ws and the registrar tell it. */
  async loseSocket(): Promise<void> {
    this.presence.flow = undefined;
    this.presence.reachable = false;
    this.toBrowser.open = false;
    this.layer.flowClosed(this.toBrowser);
    this.browser.layer.flowClosed(this.browser.flow);
    this.b2bua.connectionLost();
    await this.pass();
  }

  /** The page signs in by a new connection. */
  async comeBack(): Promise<void> {
    const flow = this.network.flow(
      "gateway.invalid:0",
      "browser.invalid:0",
      () => this.browser.layer,
      () => this.browser.flow,
      "WSS",
    );
    this.toBrowser = { ...flow, id: "second connection" };
    this.presence.flow = this.toBrowser;
    this.presence.reachable = true;
    this.settle(this.toBrowser);
    this.registrarEvents.emit("flow-resumed", this.presence);
    await this.pass();
  }

  settle(flow: Flow | undefined): void {
    for (const resolve of this.#waiting.splice(0)) resolve(flow);
  }

  get invites(): number {
    return this.network.startLines("gateway.invalid:0").filter((line) => line.startsWith("INVITE ")).length;
  }
}

describe("a browser that loses its connection while it rings", () => {
  it("is rung again when it comes back, is told of talk again, and can answer", async () => {
    const bench = new Reconnecting({ allowEvents: ["talk"] });
    await bench.callAgent();
    bench.browser.received.progress(180);
    await bench.pass();
    bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "talk"]]);
    await bench.pass();
    const first = bench.browser.received.request.callId;
    await bench.loseSocket();
    expect(bench.trunk.user.told).toEqual(["provisional 180"]);
    await bench.comeBack();
    expect(bench.invites).toBe(2);
    const second = bench.browser.received.request.callId;
    expect(second).not.toBe(first);
    expect(bench.browser.events.map(({ headers }) => headers.get("X-Jackfield-Call-ID"))).toEqual([
      first,
      second,
    ]);
    bench.browser.received.accept(answer);
    await bench.pass();
    expect(bench.trunk.user.told.at(-1)).toMatch(/^answered/);
    expect(bench.media.last.told).toContain("connect");
  });

  it("makes SIP Server hear 480 when it does not come back within the grace", async () => {
    const bench = new Reconnecting();
    await bench.callAgent();
    await bench.loseSocket();
    bench.settle(undefined);
    await bench.pass();
    expect(bench.trunk.user.told.at(-1)).toBe("failed 480");
    expect(await bench.remains()).toEqual({ ...nothingLeft });
  });

  it("is not rung again when the caller gave up meanwhile", async () => {
    const bench = new Reconnecting();
    await bench.callAgent();
    await bench.loseSocket();
    bench.trunk.outgoing?.cancel();
    await bench.pass();
    expect(bench.trunk.user.told.at(-1)).toBe("failed 487");
    await bench.comeBack();
    expect(bench.invites).toBe(1);
    expect(bench.records).toHaveLength(1);
  });

  it("is rung by the new connection even when the old one was not found dead yet", async () => {
    const bench = new Reconnecting();
    await bench.callAgent();
    await bench.comeBack();
    expect(bench.invites).toBe(2);
    bench.browser.received.accept(answer);
    await bench.pass();
    expect(bench.trunk.user.told.at(-1)).toMatch(/^answered/);
    bench.trunk.outgoing?.session.bye();
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});

describe("a browser that comes back to a running call", () => {
  it("is asked whether it still has the call, and keeps it when it has", async () => {
    const bench = new Reconnecting();
    await bench.established();
    await bench.loseSocket();
    await bench.comeBack();
    expect(bench.network.startLines("gateway.invalid:0").some((line) => line.startsWith("UPDATE "))).toBe(
      true,
    );
    await bench.pass(60_000);
    expect(bench.b2bua.size).toBe(1);
  });

  it("gets the ACK that was lost with the old connection, without which it would hang up", async () => {
    const bench = new Reconnecting();
    await bench.callAgent();
    bench.network.drop = (from, text) => from.startsWith("gateway.invalid") && text.startsWith("ACK ");
    bench.browser.received.accept(answer);
    await bench.pass();
    await bench.loseSocket();
    bench.network.drop = () => false;
    expect(bench.browser.user.told).toEqual([]);
    await bench.comeBack();
    expect(bench.browser.user.told).toEqual(["acknowledged"]);
  });

  it("keeps its call though the ACK of its last re-INVITE never comes", async () => {
    const bench = new Reconnecting();
    await bench.established();
    bench.network.drop = (from, text) => from.startsWith("gateway.invalid") && text.startsWith("SIP/2.0 200");
    bench.browser.received.session.reinvite(() => browserSdp({ direction: "sendonly" }), {
      onAnswer: () => undefined,
    });
    await bench.pass();
    await bench.loseSocket();
    bench.network.drop = () => false;
    await bench.comeBack();
    await bench.pass(60_000);
    expect(bench.b2bua.size).toBe(1);
  });

  it("ends the call at SIP Server when it has forgotten it", async () => {
    const bench = new Reconnecting();
    await bench.established();
    await bench.loseSocket();
    bench.browser.received.session.close();
    await bench.comeBack();
    expect(bench.trunk.user.told).toEqual([expect.stringMatching(/^ended BYE/)]);
    expect(bench.records).toMatchObject([{ endedBy: "agent", reason: expect.stringContaining("481") }]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});

describe("a browser that loses its connection while it dials", () => {
  it("is asked, when it is back, whether it still wants the call, which else is cancelled", async () => {
    const bench = new Reconnecting();
    await bench.dial("1003");
    bench.trunk.received.progress(180);
    await bench.pass();
    await bench.loseSocket();
    expect(bench.b2bua.size).toBe(1);
    await bench.comeBack();
    expect(bench.trunk.user.told).toEqual(["failed 487"]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is asked at the first ring when it had heard of none", async () => {
    const bench = new Reconnecting();
    await bench.dial("1003");
    await bench.loseSocket();
    await bench.comeBack();
    expect(bench.b2bua.size).toBe(1);
    bench.trunk.received.progress(180);
    await bench.pass();
    expect(bench.trunk.user.told).toEqual(["failed 487"]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("and comes back after the answer is hung up at once, not when the ACK is overdue", async () => {
    const bench = new Reconnecting();
    await bench.dial("1003");
    await bench.loseSocket();
    bench.trunk.received.accept(genesysSdp());
    await bench.pass();
    await bench.comeBack();
    expect(bench.trunk.user.told.at(-1)).toMatch(/^ended BYE/);
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});

describe("the longer grace time", () => {
  it("is for calls that ring at the agent or run, not for what the agent was just dialling", async () => {
    const bench = new B2buaBench();
    const { dn, instance } = bench.presence;
    await bench.dial("1003");
    expect(bench.b2bua.hasCall(dn, instance)).toBe(false);
    await bench.callAgent();
    expect(bench.b2bua.hasCall(dn, instance)).toBe(true);
    bench.trunk.outgoing?.cancel();
    await bench.pass();
    expect(bench.b2bua.hasCall(dn, instance)).toBe(false);
  });
});

describe("a browser with two connections (RFC 5626)", () => {
  it("is rung by the other when the first answers 430", async () => {
    const bench = new Reconnecting();
    const first = bench.toBrowser;
    const other = { ...first, id: "other connection" };
    bench.presence.carries = (flow) => [first.id, other.id].includes(flow.id);
    bench.presence.flowFailed = (flow) => {
      if (flow.id === first.id) bench.presence.flow = bench.toBrowser = other;
    };
    await bench.callAgent();
    bench.browser.received.reject(430);
    await bench.pass();
    expect(bench.invites).toBe(2);
    expect(bench.trunk.user.told).toEqual(["provisional 180"]);
    bench.browser.received.reject(430);
    await bench.pass();
    expect(bench.trunk.user.told).toEqual(["provisional 180", "failed 480"]);
  });

  it("may use either within its dialogs", async () => {
    const bench = new Reconnecting();
    await bench.established();
    const first = bench.toBrowser;
    bench.presence.carries = () => true;
    bench.presence.flow = { ...first, id: "other connection" };
    bench.browser.received.session.bye();
    await bench.pass();
    expect(bench.records).toMatchObject([{ endedBy: "agent", status: 200 }]);
  });

  it("behind a proxy is rung by the route its REGISTER named", async () => {
    const bench = new B2buaBench();
    bench.presence.path = ["<sip:edge.test;lr;ob>"];
    await bench.callAgent();
    expect(bench.browser.received.request.headers.get("Route")).toBe("<sip:edge.test;lr;ob>");
  });
});

describe("a client parked by preanswer that loses its connection", () => {
  const preanswer: BenchOptions = { clients: [{ match: "*", answerBy: "preanswer" }] };
  const parked = async () => {
    const bench = new Reconnecting(preanswer);
    await bench.callAgent();
    bench.browser.received.accept(answer);
    await bench.pass();
    await bench.loseSocket();
    return bench;
  };

  it("comes back, is not rung again, and is put through on talk", async () => {
    const bench = await parked();
    await bench.comeBack();
    bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "talk"]]);
    await bench.pass();
    expect(bench.invites).toBe(1);
    expect(bench.trunk.user.told.at(-1)).toMatch(/^answered/);
  });

  it("and stays away has SIP Server told 480", async () => {
    const bench = await parked();
    bench.presence.gone = true;
    bench.registrarEvents.emit("signed-out", bench.presence, "connection lost");
    bench.settle(undefined);
    await bench.pass();
    expect(bench.trunk.user.told).toEqual(["provisional 180", "failed 480"]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});
