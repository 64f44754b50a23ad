import { describe, expect, it } from "vitest";
import type { IncomingInvite, OutgoingInvite } from "../../src/sip/index.ts";
import { B2buaBench, nothingLeft } from "../support/b2bua-bench.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";
import type { FakeMediaSession } from "../support/fake-media.ts";

const answer = browserSdp({ setup: "active", payloads: "111 110" });

function directionOf(sdp: string): string {
  return /^a=(sendrecv|sendonly|recvonly|inactive)\r$/m.exec(sdp)?.[1] ?? "none";
}

/** One of the agent's calls, with its own dialog on each side and its own media. */
interface Line {
  readonly trunk: OutgoingInvite;
  readonly browser: IncomingInvite;
  readonly media: FakeMediaSession;
}

/** SIP Server calls and the browser answers. */
async function line(bench: B2buaBench, uuid = "A"): Promise<Line> {
  await bench.callAgent(genesysSdp(), [["X-Genesys-CallUUID", uuid]]);
  const browser = bench.browser.received;
  browser.accept(answer);
  await bench.pass();
  if (!bench.trunk.outgoing) throw new Error("no call");
  return { trunk: bench.trunk.outgoing, browser, media: bench.media.last };
}

/** Re-INVITEs of ours that SIP Server gets, by Call-ID, each answered as a phone does. */
function takeOffers(bench: B2buaBench): string[] {
  const offers: string[] = [];
  bench.trunk.user.onOfferReceived = (sdp, reply) => {
    const direction = directionOf(sdp);
    const port = /m=audio (\d+)/.exec(sdp)?.[1] ?? "";
    offers.push(`${port} ${direction}`);
    reply.accept(genesysSdp({ direction: direction === "sendonly" ? "recvonly" : "sendrecv" }));
  };
  return offers;
}

async function notify(bench: B2buaBench, { trunk }: Line, event: string): Promise<void> {
  trunk.session.request("NOTIFY", [["Event", event]]);
  await bench.pass();
}

async function page(bench: B2buaBench, { browser }: Line, direction: string): Promise<void> {
  browser.session.reinvite(() => browserSdp({ direction }), { onAnswer: () => undefined });
  await bench.pass();
}

/** What the relay of each call does toward SIP Server's side, as last told. */
function relays(...lines: readonly Line[]): string[] {
  return lines.map(({ media }) => {
    const last = media.told.findLast((entry) => entry.startsWith("trunk "));
    return last?.split(" ").at(-1) ?? "untouched";
  });
}

function told(bench: B2buaBench, { browser }: Line): (string | undefined)[] {
  return bench.browser.events
    .filter(({ headers }) => headers.get("X-Jackfield-Call-ID") === browser.request.callId)
    .map(({ headers }) => headers.get("Event"));
}

const shows = { allowEvents: ["talk", "hold"] };

describe("several calls of one agent", () => {
  it("are apart: each its own dialog toward the browser and its own media; the last one answered is heard", async () => {
    const bench = new B2buaBench(shows);
    const offers = takeOffers(bench);
    const first = await line(bench);
    const second = await line(bench);
    const third = await line(bench);
    expect(new Set([first, second, third].map(({ browser }) => browser.request.callId)).size).toBe(3);
    expect(relays(first, second, third)).toEqual(["inactive", "inactive", "sendrecv"]);
    expect(offers).toEqual(["10000 sendonly", "10002 sendonly"]);
    expect([told(bench, first), told(bench, second), told(bench, third)]).toEqual([["hold"], ["hold"], []]);
  });

  it("the one retrieved by NOTIFY talk is heard, the other held, and told so", async () => {
    const bench = new B2buaBench(shows);
    const offers = takeOffers(bench);
    const first = await line(bench);
    const second = await line(bench);
    offers.length = 0;
    await notify(bench, first, "talk");
    expect(relays(first, second)).toEqual(["sendrecv", "inactive"]);
    expect(offers).toEqual(["10002 sendonly", "10000 sendrecv"]);
    expect([told(bench, first), told(bench, second)]).toEqual([["hold", "talk"], ["hold"]]);
  });

  it("the one the page retrieves is heard", async () => {
    const bench = new B2buaBench(shows);
    takeOffers(bench);
    const first = await line(bench);
    await page(bench, first, "sendonly");
    const second = await line(bench);
    expect(told(bench, first)).toEqual([]);
    await page(bench, first, "sendrecv");
    expect(relays(first, second)).toEqual(["sendrecv", "inactive"]);
  });

  it("the one SIP Server un-holds by SDP is heard; held by us it stays held", async () => {
    const bench = new B2buaBench(shows);
    takeOffers(bench);
    const first = await line(bench);
    first.trunk.session.reinvite(() => genesysSdp({ direction: "inactive" }), { onAnswer: () => undefined });
    await bench.pass();
    const second = await line(bench);
    expect(told(bench, first)).toEqual([]);
    first.trunk.session.reinvite(() => genesysSdp(), { onAnswer: () => undefined });
    await bench.pass();
    expect(relays(first, second)).toEqual(["sendrecv", "inactive"]);
    second.trunk.session.reinvite(() => genesysSdp(), { onAnswer: () => undefined });
    await bench.pass();
    expect(relays(first, second)).toEqual(["sendrecv", "inactive"]);
  });

  it("music on hold of one stops when another is answered", async () => {
    const bench = new B2buaBench(shows);
    takeOffers(bench);
    const first = await line(bench);
    first.trunk.session.reinvite(() => genesysSdp({ address: "192.0.2.99", direction: "sendonly" }), {
      onAnswer: () => undefined,
    });
    await bench.pass();
    expect(relays(first)).toEqual(["recvonly"]);
    await line(bench);
    expect(relays(first)).toEqual(["inactive"]);
  });

  it("the early media of a call the agent dials hold the running one", async () => {
    const bench = new B2buaBench(shows);
    const offers = takeOffers(bench);
    const first = await line(bench);
    await bench.dial("1003");
    expect(offers).toEqual([]);
    bench.trunk.received.progress(183, genesysSdp({ port: 7000 }));
    await bench.pass();
    expect(offers).toEqual(["10000 sendonly"]);
    expect(relays(first)).toEqual(["inactive"]);
  });

  it("a ringing one disturbs nobody", async () => {
    const bench = new B2buaBench(shows);
    const offers = takeOffers(bench);
    const first = await line(bench);
    await bench.callAgent();
    bench.trunk.outgoing?.cancel();
    await bench.pass();
    expect([offers, relays(first)]).toEqual([[], ["sendrecv"]]);
  });

  it("what gave way stays held at a page that shows it, when the other ends", async () => {
    const bench = new B2buaBench(shows);
    const offers = takeOffers(bench);
    const first = await line(bench);
    const second = await line(bench);
    second.trunk.session.bye();
    await bench.pass();
    expect([offers, relays(first)]).toEqual([["10000 sendonly"], ["inactive"]]);
  });

  it("what gave way comes back at a client that shows no hold, when the other ends or is held", async () => {
    const bench = new B2buaBench();
    const offers = takeOffers(bench);
    const first = await line(bench);
    const second = await line(bench);
    await page(bench, second, "sendonly");
    expect(relays(first, second)).toEqual(["sendrecv", "inactive"]);
    await page(bench, second, "sendrecv");
    expect(relays(first, second)).toEqual(["inactive", "sendrecv"]);
    second.trunk.session.bye();
    await bench.pass();
    expect(relays(first)).toEqual(["sendrecv"]);
    expect(offers.at(-1)).toBe("10000 sendrecv");
  });

  it("comes back also where a later call is held by SIP Server's own wish", async () => {
    const bench = new B2buaBench();
    takeOffers(bench);
    const first = await line(bench);
    const second = await line(bench);
    await notify(bench, second, "hold");
    expect(relays(first, second)).toEqual(["sendrecv", "inactive"]);
    const third = await line(bench);
    third.trunk.session.bye();
    await bench.pass();
    expect(relays(first, second)).toEqual(["sendrecv", "inactive"]);
  });

  it("does not come back once SIP Server or the agent has held it too", async () => {
    for (const hold of ["NOTIFY", "page"]) {
      const bench = new B2buaBench();
      takeOffers(bench);
      const first = await line(bench);
      const second = await line(bench);
      if (hold === "page") await page(bench, first, "sendonly");
      else await notify(bench, first, "hold");
      second.trunk.session.bye();
      await bench.pass();
      expect([hold, ...relays(first)]).toEqual([hold, "inactive"]);
      expect(told(bench, first)).not.toContain("talk");
    }
  });

  it("what NOTIFY hold held does not come back by itself", async () => {
    const bench = new B2buaBench();
    takeOffers(bench);
    const first = await line(bench);
    await notify(bench, first, "hold");
    const second = await line(bench);
    second.trunk.session.bye();
    await bench.pass();
    expect(relays(first)).toEqual(["inactive"]);
  });
});

describe("consult and transfer with two dialogs", () => {
  it("leg 1 held by NOTIFY, leg 2 set up without an offer; completion by two BYEs leaves nothing", async () => {
    const bench = new B2buaBench(shows);
    const offers = takeOffers(bench);
    const first = await line(bench, "A");
    await notify(bench, first, "hold");
    await bench.callAgentOfferless();
    const consult = bench.trunk.outgoing;
    const browser = bench.browser.received;
    consult?.session.request("NOTIFY", [["Event", "talk"]]);
    await bench.pass();
    bench.trunk.user.onAnsweredReceived = () => {};
    browser.accept(answer);
    await bench.pass(3000);
    consult?.session.acknowledge(1, genesysSdp({ port: 8100 }));
    await bench.pass();
    expect(offers).toEqual(["10000 sendonly"]);
    expect(bench.media.last.told.at(-1)).toBe("connect");
    first.trunk.session.bye([["Reason", 'SIP;cause=200;text="transferred"']]);
    consult?.session.bye();
    await bench.pass();
    expect(bench.records.map(({ endedBy }) => endedBy)).toEqual(["sip-server", "sip-server"]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("ACK with c=0.0.0.0 and BYE together end the consult, leg 1 goes on", async () => {
    const bench = new B2buaBench(shows);
    takeOffers(bench);
    const first = await line(bench);
    await notify(bench, first, "hold");
    await bench.callAgentOfferless();
    bench.trunk.user.onAnsweredReceived = () => {};
    bench.browser.received.accept(answer);
    await bench.pass(1000);
    const consult = bench.trunk.outgoing?.session;
    consult?.acknowledge(1, genesysSdp({ address: "0.0.0.0" }));
    consult?.bye([["Reason", 'SIP;cause=486;text="Busy Here"']]);
    await bench.pass();
    expect(bench.browser.user.told.at(-1)).toBe('ended BYE (SIP;cause=486;text="Busy Here")');
    expect(bench.b2bua.size).toBe(1);
    await notify(bench, first, "talk");
    expect(relays(first)).toEqual(["sendrecv"]);
  });

  it("BYE while our 200 waits for its ACK ends that call", async () => {
    const bench = new B2buaBench(shows);
    await bench.callAgentOfferless();
    bench.trunk.user.onAnsweredReceived = () => {};
    bench.browser.received.accept(answer);
    await bench.pass(1000);
    bench.trunk.outgoing?.session.bye();
    await bench.pass();
    expect(bench.browser.user.told.at(-1)).toBe("ended BYE");
    expect(bench.records).toMatchObject([{ endedBy: "sip-server" }]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});
