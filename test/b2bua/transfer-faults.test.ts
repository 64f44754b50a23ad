import { describe, expect, it } from "vitest";
import { createResponse } from "../../src/sip/index.ts";
import { nothingLeft } from "../support/b2bua-bench.ts";
import { genesysSdp } from "../support/descriptions.ts";
import { seededFraction } from "../support/seeded.ts";
import {
  newPlace,
  notifiesOf,
  replacesFor,
  send,
  statusesOf,
  TransferBench,
} from "../support/transfer-bench.ts";

const target = [["Refer-To", "<sip:1004@192.0.2.10>"]] as const;

/** Loses 30 % of what goes between SIP Server and us, the same for each `seed`. */
function loseThirtyPercent(bench: TransferBench, seed: number): void {
  const fraction = seededFraction(seed);
  bench.network.drop = (from) => from.startsWith("192.0.2.") && fraction() < 0.3;
}

const seeds = Array.from({ length: 6 }, (_, index) => index + 1);

describe("with 30 % of the datagrams lost", () => {
  it.each(seeds)("REFER of SIP Server's still moves the call, and tells so (%i)", async (seed) => {
    const bench = new TransferBench();
    const { session } = await bench.running();
    const notifies = notifiesOf(bench.trunk);
    loseThirtyPercent(bench, seed);
    send(session, "REFER", target);
    for (let waited = 0; !bench.trunk.incoming && waited < 40; waited++) await bench.pass(500);
    bench.trunk.received.accept(genesysSdp({ address: newPlace }));
    await bench.pass(9000);
    expect(bench.b2bua.calls()).toMatchObject([{ farNumber: "1004", state: "established" }]);
    session.bye();
    await bench.pass(32_000);
    expect(statusesOf(notifies).at(-1)).toBe(200);
    bench.network.drop = () => false;
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it.each(seeds)("INVITE with Replaces still takes the call over (%i)", async (seed) => {
    const bench = new TransferBench();
    const { session } = await bench.running();
    const value = replacesFor(session);
    loseThirtyPercent(bench, seed);
    await bench.replace(value);
    await bench.pass(33_000);
    expect(bench.b2bua.calls()).toMatchObject([{ farNumber: "1004", state: "established" }]);
    expect(session.state).toBe("terminated");
    bench.network.drop = () => false;
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});

/** Transfers under way. */
const standings: Readonly<Record<string, (bench: TransferBench) => Promise<void>>> = {
  "SIP Server's REFER has no answer from the target yet": async (bench) => {
    send((await bench.running()).session, "REFER", target);
    await bench.pass();
  },
  "the target rings": async (bench) => {
    send((await bench.running()).session, "REFER", target);
    await bench.pass();
    bench.trunk.received.progress(180);
    await bench.pass();
  },
  "SIP Server has hung up and the target rings": async (bench) => {
    const { session } = await bench.running();
    send(session, "REFER", target);
    await bench.pass();
    bench.trunk.received.progress(180);
    session.bye();
    await bench.pass();
  },
  "the target has answered and the old leg is still there": async (bench) => {
    send((await bench.running()).session, "REFER", target);
    await bench.pass();
    bench.trunk.received.accept(genesysSdp({ address: newPlace }));
    await bench.pass();
  },
  "the ACK of an INVITE with Replaces is not here yet": async (bench) => {
    const { session } = await bench.running();
    bench.trunk.user.onAnsweredReceived = () => {};
    await bench.replace(replacesFor(session));
  },
  "the browser's REFER is with SIP Server": async (bench) => {
    await bench.running();
    bench.trunk.user.onRequestReceived = (request, transaction) =>
      transaction.respond(createResponse(request, 202));
    send(bench.browser.received.session, "REFER", target);
    await bench.pass();
  },
  "the DN is rung for a make call": async (bench) => {
    bench.trunk.send("REFER", "sip:5001@192.0.2.20:5070", target);
    await bench.pass();
  },
};

describe.each(Object.entries(standings))("while %s", (_name, arrange) => {
  it("a browser that vanishes leaves nothing", async () => {
    const bench = new TransferBench();
    await arrange(bench);
    bench.toBrowser.open = false;
    bench.presence.flow = undefined;
    bench.presence.reachable = false;
    bench.presence.gone = true;
    bench.registrarEvents.emit("signed-out", bench.presence, "grace over");
    await bench.pass(40_000);
    expect(bench.b2bua.size).toBe(0);
    bench.browser.incoming?.session.close();
    bench.trunk.outgoing?.session.close();
    bench.trunk.incoming?.session.close();
    expect(await bench.remains(140_000)).toMatchObject({ calls: 0, media: 0, retained: 0, dialogs: 0 });
  });

  it("a SIP Server that dies leaves nothing once the agent hangs up", async () => {
    const bench = new TransferBench();
    await arrange(bench);
    bench.network.drop = (from) => from.startsWith("192.0.2.10");
    if (bench.browser.incoming?.pending) bench.browser.incoming.reject(603);
    await bench.hangUp();
    await bench.pass(70_000);
    bench.trunk.outgoing?.session.close();
    bench.trunk.incoming?.session.close();
    expect(await bench.remains(190_000)).toMatchObject({ calls: 0, media: 0, retained: 0, dialogs: 0 });
  });

  it("a media worker that dies ends the call on both sides and leaves nothing", async () => {
    const bench = new TransferBench();
    await arrange(bench);
    bench.media.last.close("media worker failed");
    await bench.pass(40_000);
    expect(bench.b2bua.size).toBe(0);
    bench.trunk.outgoing?.session.close();
    bench.trunk.incoming?.session.close();
    expect(await bench.remains(140_000)).toEqual(nothingLeft);
  });

  it("the end of the gateway ends it all", async () => {
    const bench = new TransferBench();
    await arrange(bench);
    bench.b2bua.close("stopping");
    await bench.pass(40_000);
    bench.trunk.outgoing?.session.close();
    expect(await bench.remains(140_000)).toMatchObject({ calls: 0, media: 0, retained: 0, dialogs: 0 });
  });
});

describe("messages that cross", () => {
  it("two INVITEs that replace the same dialog: the first has it, the second gets 603", async () => {
    const bench = new TransferBench();
    const { session } = await bench.running();
    const value = replacesFor(session);
    const first = await bench.replace(value);
    await bench.replace(value);
    expect(bench.trunk.user.told).toContain("failed 603");
    expect(first?.session.established).toBe(true);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("the agent hangs up in the moment in which the target answers: the target is hung up too", async () => {
    const bench = new TransferBench();
    await standings["the target rings"]?.(bench);
    bench.trunk.received.accept(genesysSdp({ address: newPlace }));
    bench.browser.received.session.bye();
    await bench.pass(1000);
    expect(bench.trunk.received.session.state).toBe("terminated");
    expect(bench.trunk.outgoing?.session.state).toBe("terminated");
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("the agent hangs up in the moment in which SIP Server replaces the dialog: nobody is left", async () => {
    const bench = new TransferBench();
    const { session } = await bench.running();
    bench.browser.received.session.bye();
    await bench.replace(replacesFor(session));
    await bench.pass(1000);
    expect(bench.b2bua.size).toBe(0);
    expect(bench.trunk.outgoing?.session.state).toBe("terminated");
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("SIP Server's BYE of the old leg crosses our own after 10 s", async () => {
    const bench = new TransferBench();
    await standings["the target has answered and the old leg is still there"]?.(bench);
    await bench.pass(9975);
    bench.trunk.outgoing?.session.bye();
    await bench.pass(1000);
    expect(bench.b2bua.calls()).toMatchObject([{ state: "established" }]);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("REFERs of both sides at once: each is told its outcome, the call goes on with the target", async () => {
    const bench = new TransferBench();
    const { session } = await bench.running();
    const toBrowser = notifiesOf(bench.browser);
    const toTrunk: number[] = [];
    bench.trunk.user.onRequestReceived = (request, transaction) => {
      transaction.respond(createResponse(request, request.method === "REFER" ? 491 : 200));
      if (request.method === "NOTIFY") toTrunk.push(Number(/ (\d+) /.exec(request.body.toString())?.[1]));
    };
    send(session, "REFER", target);
    send(bench.browser.received.session, "REFER", target);
    await bench.pass();
    bench.trunk.received.accept(genesysSdp({ address: newPlace }));
    await bench.pass();
    expect(toTrunk).toEqual([100, 200]);
    expect(statusesOf(toBrowser)).toEqual([100, 491]);
    expect(bench.b2bua.calls()).toMatchObject([{ farNumber: "1004" }]);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});
