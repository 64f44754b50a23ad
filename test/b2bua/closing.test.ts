import { describe, expect, it } from "vitest";
import { createResponse } from "../../src/sip/index.ts";
import { B2buaBench, nothingLeft } from "../support/b2bua-bench.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";
import { ReloadBench } from "../support/reload-bench.ts";
import { browserAnswer, replacesFor, send, TransferBench } from "../support/transfer-bench.ts";

const preanswer = { clients: [{ match: "*", answerBy: "preanswer" }], trace: {} } as const;
const offerer = { uri: "sip:5001@192.0.2.20:5070", from: "<sip:1003@192.0.2.10:5060>" };

const takingRefers = (bench: B2buaBench): void => {
  bench.trunk.user.onRequestReceived = (request, transaction) =>
    transaction.respond(createResponse(request, request.method === "REFER" ? 202 : 200));
};

/** Everything that a call may wait for, each with timers of its own. */
const standings: Record<string, () => Promise<B2buaBench>> = {
  async "a ringing call with talk on its way"() {
    const bench = new B2buaBench({ allowEvents: ["talk"], trace: {} });
    await bench.callAgent();
    send(bench.trunk.outgoing?.session, "NOTIFY", [["Event", "talk"]]);
    await bench.pass();
    return bench;
  },
  async "a reliable 180 nobody has acknowledged"() {
    const bench = new B2buaBench();
    bench.network.drop = (_from, text) => text.startsWith("PRACK");
    bench.trunk.terms = { options: ["100rel"], reliable: "required" };
    bench.trunk.call(offerer.uri, offerer.from, undefined, [["Require", "100rel"]]);
    await bench.pass();
    return bench;
  },
  async "a client that is to answer by itself"() {
    const bench = new B2buaBench(preanswer);
    await bench.callAgent();
    return bench;
  },
  async "a parked client"() {
    const bench = new B2buaBench(preanswer);
    await bench.callAgent();
    bench.browser.received.accept(browserAnswer);
    await bench.pass();
    return bench;
  },
  async "a 200 without its ACK"() {
    const bench = new B2buaBench();
    await bench.callAgentOfferless();
    bench.network.drop = (_from, text) => text.startsWith("ACK");
    bench.browser.received.accept(browserAnswer);
    await bench.pass();
    return bench;
  },
  async "an agent's call between two servers"() {
    const bench = new B2buaBench();
    bench.addPeer();
    bench.network.drop = (from) => from.startsWith("192.0.2.10");
    await bench.dial("1003");
    await bench.pass(4500);
    return bench;
  },
  async "a call with session timers on both legs"() {
    const bench = new B2buaBench();
    bench.trunk.terms = {
      options: ["timer"],
      timer: { offerSeconds: 90, minSeconds: 90, refresher: "us" },
    };
    bench.browser.terms = {
      options: ["timer"],
      timer: { offerSeconds: 90, minSeconds: 90, refresher: "peer" },
    };
    await bench.established();
    return bench;
  },
  async "a hold that SIP Server refuses for now"() {
    const bench = new B2buaBench();
    await bench.established();
    bench.trunk.user.onOfferReceived = (_sdp, reply) => reply.reject(503);
    bench.browser.received.session.reinvite(() => browserSdp({ direction: "sendonly" }), {
      onAnswer: () => undefined,
    });
    await bench.pass(50);
    return bench;
  },
  async "a REFER of SIP Server's whose target rings"() {
    const bench = new TransferBench();
    const { session } = await bench.running();
    send(session, "REFER", [["Refer-To", "<sip:1004@192.0.2.10>"]]);
    await bench.pass();
    return bench;
  },
  async "a former leg that SIP Server has not ended"() {
    const bench = new TransferBench();
    const { session } = await bench.running();
    send(session, "REFER", [["Refer-To", "<sip:1004@192.0.2.10>"]]);
    await bench.pass();
    bench.trunk.received.accept(genesysSdp());
    await bench.pass();
    return bench;
  },
  async "a REFER of the browser's without news"() {
    const bench = new TransferBench();
    await bench.running();
    takingRefers(bench);
    send(bench.browser.received.session, "REFER", [["Refer-To", "<sip:1004@jackfield>"]]);
    await bench.pass();
    return bench;
  },
  async "an INVITE with Replaces without its ACK"() {
    const bench = new TransferBench();
    const { session } = await bench.running();
    bench.network.drop = (_from, text) => text.startsWith("ACK");
    await bench.replace(replacesFor(session));
    return bench;
  },
  async "a make call by REFER whose number rings"() {
    const bench = new TransferBench();
    bench.trunk.send("REFER", offerer.uri, [
      ["Contact", "<sip:192.0.2.10:5060>"],
      ["Refer-To", "<sip:1004@192.0.2.10>"],
    ]);
    await bench.pass();
    bench.browser.received.accept(browserAnswer);
    await bench.pass();
    return bench;
  },
  async "a page that is away"() {
    const bench = new ReloadBench();
    await bench.established();
    await bench.vanish();
    return bench;
  },
  async "a page that is back and has not taken its call over"() {
    const bench = new ReloadBench();
    await bench.established();
    await bench.reload();
    return bench;
  },
  async "a page that has just taken its call over"() {
    const bench = new ReloadBench();
    await bench.established();
    const { token } = bench;
    await bench.reload();
    bench.network.drop = (_from, text) => text.startsWith("ACK");
    await bench.resume(token);
    return bench;
  },
};

/** The clients sign out: their grace times are the registrar's, not a call's. */
function signOut(bench: B2buaBench): void {
  if (!(bench instanceof ReloadBench)) return;
  for (const page of bench.pages) bench.signIn(page, 0);
}

describe.each(Object.entries(standings))("a gateway that stops in %s", (_what, standing) => {
  it("ends it and leaves nothing", async () => {
    const bench = await standing();
    expect(bench.b2bua.size).toBe(1);
    bench.network.drop = () => false;
    bench.b2bua.close("shutting down");
    await bench.pass(1000);
    signOut(bench);
    expect(await bench.remains()).toEqual(nothingLeft);
    expect(bench.records).toHaveLength(1);
  });

  it("leaves nothing though nobody says a word any more", async () => {
    const bench = await standing();
    bench.network.drop = () => true;
    bench.b2bua.close("shutting down");
    await bench.pass(40_000);
    for (const end of [bench.trunk, bench.browser, bench.peer]) {
      end?.incoming?.session.close();
      end?.outgoing?.session.close();
      end?.layer.close();
    }
    signOut(bench);
    expect(await bench.remains()).toEqual(nothingLeft);
    expect(bench.records).toHaveLength(1);
  });
});
