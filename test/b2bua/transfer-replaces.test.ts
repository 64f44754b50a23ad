import { describe, expect, it } from "vitest";
import { nothingLeft } from "../support/b2bua-bench.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";
import { browserAnswer, newPlace, replacesFor, send, TransferBench } from "../support/transfer-bench.ts";

describe("INVITE with Replaces on a running call (RFC 3891)", () => {
  it("is answered at once, the media turns there, the old dialog gets BYE, the browser hears nothing of it", async () => {
    const bench = new TransferBench({ allowEvents: ["x-jackfield-call"] });
    const first = await bench.running();
    const second = await bench.replace(replacesFor(first.session), undefined, [
      ["Require", "replaces"],
      ["X-Genesys-CallUUID", "NEWUUID"],
    ]);
    expect(second?.session.established).toBe(true);
    expect(first.session.state).toBe("terminated");
    expect(bench.trunk.user.told).toContainEqual(expect.stringMatching(/^ended BYE/));
    expect(bench.media.last.told).toEqual([`trunk ${newPlace}:8000 pcmu sendrecv`, "connect"]);
    expect(bench.browser.user.told).toEqual([]);
    expect(bench.b2bua.calls()).toMatchObject([{ farNumber: "1004", state: "established" }]);
    const [event] = bench.browser.events;
    expect(event?.headers.get("Event")).toBe("x-jackfield-call");
    expect(JSON.parse(event?.body.toString() ?? "")).toEqual({
      callUuid: "NEWUUID",
      party: { number: "1004" },
      headers: [
        ["P-Asserted-Identity", "<sip:1004@192.0.2.10:5060>"],
        ["X-Genesys-CallUUID", "NEWUUID"],
      ],
    });
    second?.session.bye();
    await bench.pass();
    expect(bench.records).toMatchObject([
      {
        farNumber: "1003",
        transferredTo: "1004",
        callUuid: "NEWUUID",
        endedBy: "sip-server",
        trunkLeg: { callId: second?.callId, formerCallIds: [first.callId] },
      },
    ]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("says nothing to a page that did not ask to be told, and keeps the old CallUUID where there is no new one", async () => {
    const bench = new TransferBench();
    await bench.callAgent(genesysSdp(), [["X-Genesys-CallUUID", "FIRST"]]);
    bench.browser.received.accept(browserAnswer);
    await bench.pass();
    const first = bench.trunk.outgoing;
    if (first) await bench.replace(replacesFor(first.session));
    expect(bench.browser.events).toEqual([]);
    await bench.hangUp();
    expect(bench.records).toMatchObject([{ callUuid: "FIRST" }]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("without an offer gets ours, and the ACK's answer moves the media", async () => {
    const bench = new TransferBench();
    const first = await bench.running();
    bench.trunk.user.onAnsweredReceived = ({ cseq }) =>
      bench.trunk.outgoing?.session.acknowledge(cseq.sequence, genesysSdp({ address: newPlace }));
    bench.trunk.call("sip:5001@192.0.2.20:5070", "<sip:1004@192.0.2.10:5060>", undefined, [
      ["Replaces", replacesFor(first.session)],
    ]);
    await bench.pass();
    expect(bench.trunk.user.told.join()).toContain("m=audio 10000 RTP/AVP");
    expect(first.session.state).toBe("terminated");
    expect(bench.media.last.told).toEqual([`trunk ${newPlace}:8000 pcmu sendrecv`, "connect"]);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("without an offer and with an ACK that answers nonsense ends the call", async () => {
    const bench = new TransferBench();
    const first = await bench.running();
    bench.trunk.user.onAnsweredReceived = ({ cseq }) =>
      bench.trunk.outgoing?.session.acknowledge(cseq.sequence, "nonsense");
    bench.trunk.call("sip:5001@192.0.2.20:5070", "<sip:1004@192.0.2.10:5060>", undefined, [
      ["Replaces", replacesFor(first.session)],
    ]);
    await bench.pass();
    expect(bench.records).toMatchObject([{ status: 488, endedBy: "jackfield" }]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("whose offer cannot be answered is refused and changes nothing", async () => {
    const bench = new TransferBench();
    const first = await bench.running();
    await bench.replace(replacesFor(first.session), genesysSdp({ payloads: "18" }));
    expect(bench.trunk.user.told).toEqual(["failed 488"]);
    expect(first.session.established).toBe(true);
    expect(bench.media.last.told).toEqual([]);
    await bench.hangUp();
    expect(bench.records).toMatchObject([{ transferredTo: undefined }]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("of a call that the agent holds is told that it is held, and its retrieve goes to the new dialog", async () => {
    const bench = new TransferBench();
    const first = await bench.running();
    const hold = browserSdp({ direction: "sendonly" });
    bench.trunk.user.onOfferReceived = (_sdp, reply) => reply.accept(genesysSdp());
    bench.browser.received.session.reinvite(() => hold, { onAnswer: () => undefined });
    await bench.pass();
    bench.trunk.user.told.length = 0;
    const second = await bench.replace(replacesFor(first.session));
    expect(bench.trunk.user.told.find((told) => told.startsWith("answered"))).toContain("a=sendonly");
    bench.trunk.user.told.length = 0;
    bench.browser.received.session.reinvite(() => browserSdp(), { onAnswer: () => undefined });
    await bench.pass();
    expect(bench.trunk.user.told.join()).toMatch(/^offer /);
    expect(bench.trunk.user.told.join()).not.toContain("a=sendonly");
    second?.session.bye();
    await bench.pass();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("while our re-INVITE is out takes over; its late answer moves nothing, and later holds are told again", async () => {
    const bench = new TransferBench();
    const first = await bench.running();
    let answerLate = (): void => {};
    bench.trunk.user.onOfferReceived = (_sdp, reply) => {
      answerLate = () => reply.accept(genesysSdp({ address: "192.0.2.99" }));
    };
    bench.browser.received.session.reinvite(() => browserSdp({ direction: "sendonly" }), {
      onAnswer: () => undefined,
    });
    await bench.pass();
    const second = await bench.replace(replacesFor(first.session));
    answerLate();
    await bench.pass();
    expect(bench.media.last.trunkRemote?.address).toBe(newPlace);
    bench.trunk.user.onOfferReceived = (_sdp, reply) => reply.accept(genesysSdp({ address: newPlace }));
    bench.trunk.user.told.length = 0;
    bench.browser.received.session.reinvite(() => browserSdp(), { onAnswer: () => undefined });
    await bench.pass();
    expect(bench.trunk.user.told.join()).toMatch(/^offer /);
    second?.session.bye();
    await bench.pass();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("while a hold waits for the ACK of an earlier re-INVITE does not lose that hold", async () => {
    const bench = new TransferBench();
    const first = await bench.running();
    // The ACK to SIP Server's own offerless re-INVITE is held back: our hold is queued behind it.
    first.session.reinvite(() => undefined, { onAnswer: () => genesysSdp() });
    bench.network.drop = (from, text) => from.startsWith("192.0.2.10") && text.startsWith("ACK");
    await bench.pass();
    bench.browser.received.session.reinvite(() => browserSdp({ direction: "sendonly" }), {
      onAnswer: () => undefined,
    });
    await bench.pass();
    bench.network.drop = () => false;
    const second = await bench.replace(replacesFor(first.session));
    bench.trunk.user.onOfferReceived = (_sdp, reply) => reply.accept(genesysSdp({ address: newPlace }));
    bench.trunk.user.told.length = 0;
    bench.browser.received.session.reinvite(() => browserSdp(), { onAnswer: () => undefined });
    await bench.pass();
    expect(bench.trunk.user.told.filter((told) => told.startsWith("offer"))).toHaveLength(1);
    second?.session.bye();
    await bench.pass();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("can replace again and again; NOTIFY hold and BYE of the last one count, those of former ones do not", async () => {
    const bench = new TransferBench();
    let session = (await bench.running()).session;
    for (let round = 0; round < 3; round++) {
      const next = await bench.replace(replacesFor(session));
      if (next) session = next.session;
    }
    expect(bench.b2bua.size).toBe(1);
    bench.media.last.told.length = 0;
    const statuses = send(session, "NOTIFY", [
      ["Event", "hold"],
      ["Subscription-State", "active"],
    ]);
    await bench.pass();
    expect(statuses).toEqual([200]);
    expect(bench.media.last.told).toContain("trunk direction recvonly");
    session.bye();
    await bench.pass();
    expect(bench.browser.user.told).toEqual(["ended BYE"]);
    expect(bench.records[0]?.trunkLeg.formerCallIds).toHaveLength(3);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("survives that the BYE to the old dialog is never answered", async () => {
    const bench = new TransferBench();
    const first = await bench.running();
    bench.network.drop = (from, text) => from.startsWith("192.0.2.20") && text.startsWith("BYE");
    const second = await bench.replace(replacesFor(first.session));
    await bench.pass(40_000);
    expect(bench.b2bua.size).toBe(1);
    expect(bench.browser.user.told).toEqual([]);
    bench.network.drop = () => false;
    second?.session.bye();
    first.session.close();
    await bench.pass();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("of whom the 200 is never acknowledged ends the call on both sides", async () => {
    const bench = new TransferBench();
    const first = await bench.running();
    bench.trunk.user.onAnsweredReceived = () => {};
    await bench.replace(replacesFor(first.session));
    await bench.pass(45_000);
    expect(bench.b2bua.size).toBe(0);
    expect(bench.browser.user.told.at(-1)).toMatch(/^ended BYE/);
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});

describe("INVITE with Replaces on a call that is not established", () => {
  it("answers the browser's call that still rings: the first leg is cancelled", async () => {
    const bench = new TransferBench();
    await bench.dial("1003");
    const first = bench.trunk.received;
    first.progress(180);
    await bench.pass();
    bench.trunk.user.told.length = 0;
    const second = await bench.replace(`${replacesFor(first.session)};early-only`);
    expect(second?.session.established).toBe(true);
    expect(bench.trunk.user.told).toContain("failed 487");
    expect(bench.browser.user.told.at(-1)).toMatch(/^answered v=0/);
    expect(bench.media.last.told.slice(-2)).toEqual([`trunk ${newPlace}:8000 pcmu sendrecv`, "connect"]);
    expect(bench.b2bua.calls()).toMatchObject([{ state: "established" }]);
    await bench.hangUp();
    expect(bench.records).toMatchObject([{ farNumber: "1003", transferredTo: "1004", status: 200 }]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("gets 481 while the agent is being rung, since SIP Server began that dialog; the call rings on", async () => {
    const bench = new TransferBench();
    await bench.callAgent();
    const first = bench.trunk.outgoing;
    bench.browser.received.progress(180);
    if (first) await bench.replace(replacesFor(first.session));
    expect(bench.trunk.user.told).toContain("failed 481");
    bench.browser.received.accept(browserAnswer);
    await bench.pass();
    expect(first?.session.established).toBe(true);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("replaces a make call whose ACK is still held back", async () => {
    const bench = new TransferBench();
    bench.trunk.user.onAnsweredReceived = ({ cseq }) => {
      if (bench.trunk.outgoing !== first) bench.trunk.outgoing?.session.acknowledge(cseq.sequence);
    };
    let first = bench.trunk.outgoing;
    bench.trunk.call("sip:5001@192.0.2.20:5070", "<sip:1003@192.0.2.10:5060>", undefined);
    first = bench.trunk.outgoing;
    await bench.pass();
    bench.browser.received.accept(browserAnswer);
    await bench.pass();
    if (first) await bench.replace(replacesFor(first.session));
    expect(bench.b2bua.calls()).toMatchObject([{ state: "established" }]);
    first?.session.acknowledge(1, genesysSdp());
    await bench.pass();
    expect(bench.media.last.trunkRemote?.address).toBe(newPlace);
    expect(first?.session.state).toBe("terminated");
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});

describe("INVITE with a Replaces that fits nothing", () => {
  it.each([
    ["of a dialog nobody knows", "nobody;to-tag=a;from-tag=b", 481],
    ["without a tag", "nobody;to-tag=a", 400],
    ["with a tag twice", "nobody;to-tag=a;to-tag=c;from-tag=b", 400],
    ["that is empty", "", 400],
  ])("%s gets its status and no agent is rung", async (_name, replaces, status) => {
    const bench = new TransferBench();
    await bench.replace(replaces);
    expect(bench.trunk.user.told).toEqual([`failed ${status}`]);
    expect(bench.browser.incoming).toBeUndefined();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("given twice, or beside Join, gets 400", async () => {
    const bench = new TransferBench();
    const value = replacesFor((await bench.running()).session);
    await bench.replace(value, undefined, [["Replaces", value]]);
    await bench.replace(value, undefined, [["Join", value]]);
    expect(bench.trunk.user.told).toEqual(["failed 400", "failed 400"]);
  });

  it("with early-only gets 486 for a running call", async () => {
    const bench = new TransferBench();
    const first = await bench.running();
    await bench.replace(`${replacesFor(first.session)};early-only`);
    expect(bench.trunk.user.told).toEqual(["failed 486"]);
    expect(first.session.established).toBe(true);
  });

  it("sent to another DN than the call's gets 481", async () => {
    const bench = new TransferBench();
    const first = await bench.running();
    bench.trunk.call("sip:5002@192.0.2.20:5070", "<sip:1004@192.0.2.10>", genesysSdp(), [
      ["Replaces", replacesFor(first.session)],
    ]);
    await bench.pass();
    expect(bench.trunk.user.told).toEqual(["failed 481"]);
  });

  it("of a call that has just ended gets 603, and 481 later", async () => {
    const bench = new TransferBench();
    const first = await bench.running();
    const value = replacesFor(first.session);
    await bench.hangUp();
    bench.trunk.user.told.length = 0;
    await bench.replace(value);
    await bench.pass(40_000);
    await bench.replace(value);
    expect(bench.trunk.user.told).toEqual(["failed 603", "failed 481"]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("of a browser's call is no way in for another browser's INVITE", async () => {
    const bench = new TransferBench();
    const first = await bench.running();
    bench.browser.call("sip:1004@jackfield", "<sip:5001@jackfield>", browserSdp(), [
      ["Replaces", replacesFor(first.session)],
      ["Require", "replaces"],
    ]);
    await bench.pass();
    expect(bench.browser.user.told).toEqual(["failed 420"]);
    expect(first.session.established).toBe(true);
  });

  it("asks for another option beside replaces: 420 names that one", async () => {
    const bench = new TransferBench();
    const first = await bench.running();
    await bench.replace(replacesFor(first.session), undefined, [["Require", "replaces, magic"]]);
    const refusal = bench.network.sent.map(({ text }) => text).find((text) => text.includes(" 420 "));
    expect(refusal).toContain("Unsupported: magic");
  });
});

it("replaces and norefersub are said to SIP Server, and Allow has REFER", async () => {
  const bench = new TransferBench();
  const [first] = [await bench.running()];
  const answers = bench.network.sent.map(({ text }) => text).filter((text) => text.includes(" 180 "));
  expect(first.session.established).toBe(true);
  expect(answers[0]).toMatch(/^Supported:.*replaces.*norefersub/m);
  expect(answers[0]).toMatch(/^Allow:.*REFER/m);
});
