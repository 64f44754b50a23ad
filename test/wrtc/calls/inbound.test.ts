import { describe, expect, it } from "vitest";
import type { AgentLegUser } from "../../../src/b2bua/index.ts";
import { browserSdp, genesysSdp } from "../../support/descriptions.ts";
import { nothingLeft } from "../../support/b2bua-bench.ts";
import { WrtcCallsBench } from "../../support/wrtc-calls-bench.ts";

async function rung(headers?: readonly (readonly [string, string])[]) {
  const bench = new WrtcCallsBench();
  await bench.callAgent(genesysSdp(), headers);
  expect(bench.client.told).toEqual(["offer"]);
  expect(bench.trunk.user.told).toEqual(["provisional 180"]);
  return bench;
}

/** A NOTIFY of SIP Server's in the dialog of its call. */
async function notify(bench: WrtcCallsBench, event: string): Promise<void> {
  bench.trunk.outgoing?.session.request("NOTIFY", [["Event", event]]);
  await bench.pass();
}

async function ended(bench: WrtcCallsBench) {
  expect(bench.client.calls.busy).toBe(false);
  expect(bench.clients.flatMap(({ confused }) => confused)).toEqual([]);
  expect(await bench.remains()).toEqual(nothingLeft);
}

const noUser: AgentLegUser = {
  onRinging() {},
  onAnswered() {},
  onFailed() {},
  onOffer() {},
  onDigits() {},
  mediaFlows: () => false,
  onInfo() {},
  statistics: () => Promise.resolve(undefined),
  onRefer() {},
  onEnded() {},
  onLost() {},
  newResumeToken: () => "",
  onConfirmed() {},
};

describe("a call of SIP Server's to a WRTC client", () => {
  it("is an OFFER from the caller, and the client's ANSWER is the 200", async () => {
    const bench = await rung();
    const [offer] = bench.client.messages;
    expect(offer?.peer).toBe("1003");
    expect(bench.client.last("offer").sdp).toMatch(/a=setup:actpass/);
    bench.client.answer();
    await bench.pass();
    expect(bench.trunk.user.told[1]).toMatch(/^answered v=0/);
    expect(bench.client.told).toEqual(["offer"]);
    expect(bench.b2bua.calls()[0]).toMatchObject({ state: "established" });
    expect(bench.media.last.told).toContain("connect");
    bench.trunk.outgoing?.session.bye();
    await bench.pass();
    expect(bench.client.told).toEqual(["offer", "bye"]);
    await ended(bench);
  });

  it("is declined by the client's BYE with 603", async () => {
    const bench = await rung();
    bench.client.bye();
    await bench.pass();
    expect(bench.trunk.user.told.at(-1)).toBe("failed 603");
    expect(bench.client.told).toEqual(["offer"]);
    await ended(bench);
  });

  it("is taken back by BYE when the caller gives up, and an ANSWER that crosses changes nothing", async () => {
    const bench = await rung();
    bench.trunk.outgoing?.cancel();
    await bench.pass();
    expect(bench.client.told).toEqual(["offer", "bye"]);
    bench.client.answer();
    await bench.pass();
    expect(bench.client.told).toEqual(["offer", "bye"]);
    await ended(bench);
  });

  it("is not answered by an ANSWER to the OFFER before", async () => {
    const bench = await rung();
    const { ids } = bench.client.last("offer");
    bench.trunk.outgoing?.cancel();
    await bench.pass();
    await bench.callAgent();
    bench.client.answer(undefined, ids);
    await bench.pass();
    expect(bench.b2bua.calls()[0]?.state).toBe("ringing");
    bench.client.answer();
    await bench.pass();
    expect(bench.b2bua.calls()[0]?.state).toBe("established");
  });

  it("without SDP is rung by an OFFER of ours too, never by INVITE, and its ACK brings the answer", async () => {
    const bench = new WrtcCallsBench();
    await bench.callAgentOfferless();
    expect(bench.client.told).toEqual(["offer"]);
    bench.trunk.user.onAnsweredReceived = ({ cseq }) =>
      bench.trunk.outgoing?.session.acknowledge(cseq.sequence, genesysSdp());
    bench.client.answer();
    await bench.pass();
    expect(bench.b2bua.calls()[0]?.state).toBe("established");
    expect(bench.client.told).toEqual(["offer"]);
  });

  it("is answered on NOTIFY talk by EVENT-TALK, and talk while it runs unheld says nothing", async () => {
    const bench = await rung();
    await notify(bench, "talk");
    expect(bench.client.told).toEqual(["offer", "talk"]);
    bench.client.answer();
    await bench.pass();
    await notify(bench, "talk");
    expect(bench.client.told).toEqual(["offer", "talk"]);
    expect(bench.client.confused).toEqual([]);
  });

  it("ends after 8 s when the client does not answer on talk", async () => {
    const bench = await rung();
    await notify(bench, "talk");
    await bench.pass(8100);
    expect(bench.trunk.user.told.at(-1)).toBe("failed 480");
    expect(bench.client.told).toEqual(["offer", "talk", "bye"]);
    await ended(bench);
  });

  it("may be a REFER that asks its DN to call: rung with EVENT-TALK, its ANSWER sends the INVITE", async () => {
    const bench = new WrtcCallsBench();
    const statuses = bench.trunk.send("REFER", "sip:5001@192.0.2.20:5070", [
      ["Contact", "<sip:192.0.2.10:5060>"],
      ["Refer-To", "<sip:1004@192.0.2.10>"],
    ]);
    await bench.pass();
    expect(statuses).toEqual([202]);
    expect(bench.client.told).toEqual(["offer", "talk"]);
    expect(bench.client.messages[0]?.peer).toBe("1004");
    bench.client.answer();
    await bench.pass();
    expect(bench.trunk.received.request.uri.user).toBe("1004");
    bench.trunk.received.accept(genesysSdp());
    await bench.pass();
    expect(bench.b2bua.calls()[0]?.state).toBe("established");
  });

  it("whose ANSWER is of no use ends on both sides", async () => {
    const bench = await rung();
    bench.client.answer("no SDP");
    await bench.pass();
    expect(bench.trunk.user.told.at(-1)).toBe("failed 480");
    expect(bench.client.told).toEqual(["offer", "bye"]);
    await ended(bench);
  });

  it("waits for a client without a poll and is refused when none comes in time", async () => {
    const bench = new WrtcCallsBench();
    bench.client.presence.reachable = false;
    await bench.callAgent();
    expect(bench.client.told).toEqual(["offer"]);
    await bench.pass(5100);
    expect(bench.trunk.user.told.at(-1)).toBe("failed 480");
    expect(bench.client.told).toEqual(["offer", "bye"]);
    await ended(bench);
    const back = new WrtcCallsBench();
    back.client.presence.reachable = false;
    await back.callAgent();
    back.client.presence.reachable = true;
    await back.pass(5100);
    expect(back.b2bua.calls()[0]?.state).toBe("ringing");
  });

  it("is given up when its client stops to poll while it rings", async () => {
    const bench = await rung();
    await bench.pass(1000);
    bench.client.presence.reachable = false;
    await bench.pass(4100);
    expect(bench.trunk.user.told.at(-1)).toBe("failed 480");
    expect(bench.client.told).toEqual(["offer", "bye"]);
    const late = await rung();
    await late.pass(5100);
    late.client.presence.reachable = false;
    await late.pass(5000);
    expect(late.trunk.user.told.at(-1)).toBe("failed 480");
    await ended(late);
  });

  it("rings on when what the client posts is of the call before, whose end it has not read", async () => {
    const bench = await rung();
    bench.client.unreadKinds = { bye: "under-way", offer: "waiting" };
    bench.client.calls.receive({ kind: "bye" }, "1003");
    bench.client.calls.receive({ kind: "offer", sdp: browserSdp(), ids: { seq: 2 }, attached: [] }, "1003");
    await bench.pass();
    expect(bench.b2bua.calls()[0]?.state).toBe("ringing");
    bench.client.unreadKinds = {};
    bench.client.answer();
    await bench.pass();
    expect(bench.b2bua.calls()[0]?.state).toBe("established");
    expect(bench.client.told).toEqual(["offer"]);
  });

  it("that is declined while its OFFER is under way does not ring on", async () => {
    const bench = await rung();
    bench.client.unreadKinds = { offer: "under-way" };
    bench.client.bye();
    await bench.pass();
    expect(bench.trunk.user.told.at(-1)).toBe("failed 603");
    expect(bench.client.told).toEqual(["offer", "bye"]);
    await ended(bench);
  });

  it("is asked to answer once, however often SIP Server says talk", async () => {
    const bench = await rung();
    await notify(bench, "talk");
    await notify(bench, "talk");
    expect(bench.client.told).toEqual(["offer", "talk"]);
  });

  it("goes on when a thing is lost on its way: the session's end ends it", async () => {
    const bench = await rung();
    bench.client.calls.close("session expired");
    await bench.pass();
    expect(bench.trunk.user.told.at(-1)).toBe("failed 480");
    await ended(bench);
  });

  it("names a caller that a raw URL could not carry in a form that can, and that leads back", async () => {
    const bench = new WrtcCallsBench();
    bench.trunk.call("sip:5001@192.0.2.20:5070", "<sip:10%2623%20x@192.0.2.10:5060>", genesysSdp());
    await bench.pass();
    expect(bench.client.confused).toEqual([]);
    const nobody = new WrtcCallsBench();
    nobody.trunk.call("sip:5001@192.0.2.20:5070", "<sip:192.0.2.10:5060>", genesysSdp());
    await nobody.pass();
    expect(nobody.client.messages[0]?.peer).toBe("anonymous");
  });
});

describe("a second call to a WRTC client", () => {
  it("is refused with 486 while one rings and while one runs, and the first one is not touched", async () => {
    const bench = await rung();
    const first = bench.trunk.outgoing;
    await bench.callAgent();
    expect(bench.trunk.user.told.at(-1)).toBe("failed 486");
    bench.client.answer();
    await bench.pass();
    await bench.callAgent();
    expect(bench.trunk.user.told.at(-1)).toBe("failed 486");
    expect(bench.client.told).toEqual(["offer"]);
    expect(first?.session.established).toBe(true);
  });

  it("does not ring a client that began one of its own meanwhile, nor one that is signed out", async () => {
    const bench = new WrtcCallsBench();
    const { client, legs } = bench;
    const invitation = {
      sdp: "v=0",
      caller: { number: "1003", displayName: undefined, headers: [] },
      autoAnswer: [],
    };
    const invite = () => legs.invite(client.presence, invitation, noUser);
    expect(await invite()).toBeDefined();
    expect(await invite()).toBeUndefined();
    client.bye();
    client.presence.gone = true;
    expect(await invite()).toBeUndefined();
    client.presence.gone = false;
    client.calls.close("signed out");
    expect(await invite()).toBeUndefined();
  });

  it("goes to another client of the same DN", async () => {
    const bench = new WrtcCallsBench();
    const other = bench.addClient();
    await bench.callAgent();
    await bench.callAgent();
    expect([bench.client.told, other.told]).toEqual([["offer"], ["offer"]]);
  });
});
