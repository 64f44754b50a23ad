import { describe, expect, it } from "vitest";
import { nothingLeft } from "../support/b2bua-bench.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";
import { newPlace, notifiesOf, send, statusesOf, TransferBench } from "../support/transfer-bench.ts";

const target = "<sip:1004@192.0.2.10:5060>";

/** A running call, and SIP Server's REFER in it, accepted. */
async function referred(referTo = target, more: readonly (readonly [string, string])[] = []) {
  const bench = new TransferBench();
  const { session } = await bench.running();
  const notifies = notifiesOf(bench.trunk);
  const statuses = send(session, "REFER", [["Refer-To", referTo], ...more]);
  await bench.pass();
  return { bench, session, notifies, statuses };
}

/** Requests and responses the gateway sent to SIP Server that begin so. */
const sent = (bench: TransferBench, start: string): string[] =>
  bench.network.sent
    .filter(({ from, text }) => from.startsWith("192.0.2.20") && text.startsWith(start))
    .map(({ text }) => text);

describe("REFER of SIP Server's in a running call (RFC 3515)", () => {
  it("is accepted, told of by NOTIFY from 100 to 200, and the target's leg takes the place of the old one", async () => {
    const { bench, session, notifies, statuses } = await referred();
    expect(statuses).toEqual([202]);
    expect(notifies).toEqual(["refer active;expires=185 SIP/2.0 100 Trying"]);
    const second = bench.trunk.received;
    expect(second.request.uri.raw).toBe("sip:1004@192.0.2.10:5060");
    expect(second.request.from.uri.user).toBe("5001");
    second.progress(180);
    await bench.pass();
    expect(bench.media.last.told).toEqual([]);
    second.accept(genesysSdp({ address: newPlace }));
    await bench.pass();
    expect(statusesOf(notifies)).toEqual([100, 180, 200]);
    expect(notifies[2]).toBe("refer terminated;reason=noresource SIP/2.0 200 OK");
    expect(bench.media.last.told).toEqual([`trunk ${newPlace}:8000 pcmu sendrecv`, "connect"]);
    expect(bench.browser.user.told).toEqual([]);
    session.bye();
    await bench.pass();
    expect(bench.b2bua.calls()).toMatchObject([{ farNumber: "1004", state: "established" }]);
    second.session.bye();
    await bench.pass();
    expect(bench.browser.user.told).toEqual(["ended BYE"]);
    expect(bench.records).toMatchObject([{ farNumber: "1003", transferredTo: "1004" }]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("copies Replaces, harmless headers and Referred-By, and nothing that would forge ours", async () => {
    const replaces = "Replaces=c1%40x%3Bto-tag%3Da%3Bfrom-tag%3Db";
    const forged = "From=%3Csip%3Aboss%40x%3E&Route=%3Csip%3Aevil%3E&Call-ID=x&Contact=sip%3Aevil&Via=x";
    const more = "Require=replaces&User-to-User=abc&X-Genesys-CallUUID=U1";
    const { bench } = await referred(`<sip:1004@192.0.2.10?${replaces}&${forged}&${more}>`, [
      ["Referred-By", "<sip:1003@192.0.2.10>"],
    ]);
    const invite = sent(bench, "INVITE").at(-1);
    expect(invite).toContain("Replaces: c1@x;to-tag=a;from-tag=b\r\n");
    expect(invite).toContain("Referred-By: <sip:1003@192.0.2.10>\r\n");
    expect(invite).toContain("Require: replaces\r\n");
    expect(invite).toContain("User-to-User: abc\r\n");
    expect(invite).toContain("X-Genesys-CallUUID: U1\r\n");
    expect(invite).not.toMatch(/boss|evil|^Call-ID: x\r/m);
  });

  it("leads to SIP Server whatever host it names", async () => {
    const { bench, statuses } = await referred("<sip:1004@stranger.example:7777;transport=tcp>");
    expect(statuses).toEqual([202]);
    expect(bench.trunk.received.request.uri.raw).toBe("sip:1004@192.0.2.10:5060");
  });

  it("that fails leaves the call as it was, and the next one is told with its id", async () => {
    const { bench, session, notifies } = await referred();
    bench.trunk.received.reject(486);
    await bench.pass();
    expect(statusesOf(notifies)).toEqual([100, 486]);
    expect(bench.media.last.told).toEqual([]);
    expect(session.established).toBe(true);
    const statuses = send(session, "REFER", [["Refer-To", target]]);
    await bench.pass();
    expect(statuses).toEqual([202]);
    expect(notifies.at(-1)).toMatch(/^refer;id=\d+ active/);
    bench.trunk.received.accept(genesysSdp({ address: newPlace }));
    await bench.pass();
    expect(bench.b2bua.calls()).toMatchObject([{ farNumber: "1004" }]);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("whose target answers what we cannot use hangs that one up and keeps the call", async () => {
    const { bench, session, notifies } = await referred();
    bench.trunk.user.told.length = 0;
    bench.trunk.received.accept(genesysSdp({ payloads: "18" }));
    await bench.pass();
    expect(statusesOf(notifies)).toEqual([100, 488]);
    expect(bench.trunk.user.told).toContainEqual(expect.stringMatching(/^ended BYE/));
    expect(session.established).toBe(true);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("takes the answer of a 183 where the 200 has none; the 183 alone moves nothing", async () => {
    const { bench, notifies } = await referred();
    bench.trunk.received.progress(183, genesysSdp({ address: newPlace }));
    await bench.pass();
    expect(bench.media.last.told).toEqual([]);
    bench.trunk.received.accept("");
    await bench.pass();
    expect(statusesOf(notifies)).toEqual([100, 183, 200]);
    expect(bench.media.last.told).toEqual([`trunk ${newPlace}:8000 pcmu sendrecv`, "connect"]);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("ends the old dialog itself when SIP Server does not", async () => {
    const { bench, session } = await referred();
    bench.trunk.received.accept(genesysSdp({ address: newPlace }));
    await bench.pass(9000);
    expect(session.established).toBe(true);
    await bench.pass(2000);
    expect(session.state).toBe("terminated");
    expect(bench.b2bua.size).toBe(1);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("hangs up both of SIP Server's legs when the agent hangs up before the old one is gone", async () => {
    const { bench, session } = await referred();
    const second = bench.trunk.received;
    second.accept(genesysSdp({ address: newPlace }));
    await bench.pass();
    await bench.hangUp();
    expect([session.state, second.session.state]).toEqual(["terminated", "terminated"]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("answers what still comes in the old dialog without touching the new", async () => {
    const { bench, session } = await referred();
    bench.trunk.received.accept(genesysSdp({ address: newPlace }));
    await bench.pass();
    bench.media.last.told.length = 0;
    const refused: number[] = [];
    session.reinvite(() => genesysSdp({ address: "192.0.2.99" }), {
      onAnswer: () => undefined,
      onFailed: (status) => refused.push(status),
    });
    const held = send(session, "NOTIFY", [
      ["Event", "hold"],
      ["Subscription-State", "active"],
    ]);
    const again = send(session, "REFER", [["Refer-To", target]]);
    await bench.pass();
    expect([refused, held, again]).toEqual([[488], [200], [488]]);
    expect(bench.media.last.told).toEqual([]);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is not undone by what the old leg answers late: our re-INVITE, and the ACK of its own", async () => {
    const { bench, session } = await referred();
    let answerLate = (): void => {};
    bench.trunk.user.onOfferReceived = (_sdp, reply) => {
      answerLate = () => reply.accept(genesysSdp({ address: "192.0.2.99" }));
    };
    bench.browser.received.session.reinvite(() => browserSdp({ direction: "sendonly" }), {
      onAnswer: () => undefined,
    });
    await bench.pass();
    const answerHold = answerLate;
    bench.trunk.received.accept(genesysSdp({ address: newPlace }));
    await bench.pass();
    expect(session.established).toBe(true);
    answerHold();
    await bench.pass();
    expect(bench.media.last.trunkRemote?.address).toBe(newPlace);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("with Refer-Sub: false is told of by nothing (RFC 4488), norefersub may be required", async () => {
    const { bench, notifies, statuses } = await referred(target, [
      ["Refer-Sub", "false"],
      ["Require", "norefersub"],
    ]);
    expect(statuses).toEqual([202]);
    expect(sent(bench, "SIP/2.0 202")[0]).toContain("Refer-Sub: false\r\n");
    bench.trunk.received.accept(genesysSdp({ address: newPlace }));
    await bench.pass();
    expect(notifies).toEqual([]);
    expect(bench.b2bua.calls()).toMatchObject([{ farNumber: "1004" }]);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("goes on without a word when SIP Server refuses the NOTIFY", async () => {
    const bench = new TransferBench();
    const { session } = await bench.running();
    const notifies = notifiesOf(bench.trunk, 489);
    send(session, "REFER", [["Refer-To", target]]);
    await bench.pass();
    bench.trunk.received.accept(genesysSdp({ address: newPlace }));
    await bench.pass();
    expect(statusesOf(notifies)).toEqual([100]);
    expect(bench.b2bua.calls()).toMatchObject([{ farNumber: "1004" }]);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("tells one thing at a time: what comes while a NOTIFY is unanswered waits, the latest of it is told", async () => {
    const { bench, notifies } = await referred();
    let lose = true;
    bench.network.drop = (from, text) =>
      lose && from.startsWith("192.0.2.10") && /CSeq: \d+ NOTIFY/.test(text);
    bench.trunk.received.progress(180);
    await bench.pass();
    bench.trunk.received.progress(183);
    await bench.pass();
    bench.trunk.received.accept(genesysSdp({ address: newPlace }));
    await bench.pass(100);
    expect(statusesOf(notifies)).toEqual([100, 180]);
    lose = false;
    await bench.pass(1000);
    expect(statusesOf(notifies)).toEqual([100, 180, 200]);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("tells the target by re-INVITE of a hold that began while it rang", async () => {
    const { bench } = await referred();
    bench.trunk.user.onOfferReceived = (_sdp, reply) => reply.accept(genesysSdp());
    bench.browser.received.session.reinvite(() => browserSdp({ direction: "sendonly" }), {
      onAnswer: () => undefined,
    });
    await bench.pass();
    bench.trunk.user.told.length = 0;
    const second = bench.trunk.received;
    second.accept(genesysSdp({ address: newPlace }));
    await bench.pass();
    expect(bench.trunk.user.told.join()).toContain("offer v=0");
    expect(bench.trunk.user.told.join()).toContain("a=sendonly");
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});

describe("REFER of SIP Server's and the end of calls", () => {
  it("goes on when SIP Server hangs the old dialog up early, and ends the call when the target fails then", async () => {
    const { bench, session } = await referred();
    session.bye();
    await bench.pass();
    expect(bench.browser.user.told).toEqual([]);
    bench.trunk.received.reject(486);
    await bench.pass();
    expect(bench.browser.user.told).toEqual(["ended BYE"]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("goes on when SIP Server hangs the old dialog up early, and the target's answer is the call", async () => {
    const { bench, session } = await referred();
    session.bye();
    await bench.pass();
    bench.trunk.received.accept(genesysSdp({ address: newPlace }));
    await bench.pass();
    expect(bench.b2bua.calls()).toMatchObject([{ farNumber: "1004", state: "established" }]);
    bench.trunk.received.session.bye();
    await bench.pass();
    expect(bench.browser.user.told).toEqual(["ended BYE"]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is given up when the agent hangs up: the target is cancelled", async () => {
    const { bench, session } = await referred();
    bench.trunk.received.progress(180);
    await bench.pass();
    await bench.hangUp();
    expect(bench.trunk.user.told).toContain("failed 487");
    expect(session.state).toBe("terminated");
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is given up with 408 when the target rings for ever", async () => {
    const { bench, session, notifies } = await referred();
    bench.trunk.received.progress(180);
    await bench.pass(190_000);
    expect(statusesOf(notifies)).toEqual([100, 180, 408]);
    expect(bench.trunk.user.told).toContain("failed 487");
    expect(session.established).toBe(true);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("gives way to an INVITE with Replaces that comes while the target rings", async () => {
    const { bench, session, notifies } = await referred();
    bench.trunk.received.progress(180);
    await bench.pass();
    const { dialog } = session;
    await bench.replace(`${dialog?.callId};to-tag=${dialog?.remoteTag};from-tag=${dialog?.localTag}`);
    expect(statusesOf(notifies)).toEqual([100, 180, 487]);
    expect(bench.trunk.user.told).toContain("failed 487");
    expect(bench.b2bua.calls()).toMatchObject([{ farNumber: "1004", state: "established" }]);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it.each(["talking", "ringing"])(
    "leaves nothing when SIP Server falls silent while the target is %s",
    async (state) => {
      const { bench } = await referred();
      if (state === "ringing") bench.trunk.received.progress(180);
      else bench.trunk.received.accept(genesysSdp({ address: newPlace }));
      await bench.pass();
      bench.network.drop = (from) => from.startsWith("192.0.2.10");
      await bench.hangUp();
      await bench.pass(40_000);
      bench.trunk.outgoing?.session.close();
      bench.trunk.incoming?.session.close();
      expect(await bench.remains(140_000)).toEqual(nothingLeft);
    },
  );
});

describe("a REFER of SIP Server's that is refused", () => {
  it.each([
    ["has no Refer-To", [], 400],
    [
      "has two",
      [
        ["Refer-To", target],
        ["Refer-To", target],
      ],
      400,
    ],
    ["has two in a list", [["Refer-To", `${target}, ${target}`]], 400],
    ["has one that is no address", [["Refer-To", "<sip:"]], 400],
    ["has one without a number", [["Refer-To", "<sip:192.0.2.10>"]], 400],
    ["has a broken Replaces", [["Refer-To", "<sip:1004@x?Replaces=abc>"]], 400],
    ["smuggles a line end", [["Refer-To", "<sip:1004@x?X-A=b%0d%0aFrom:%20x>"]], 400],
    ["leads to a web page", [["Refer-To", "<https://example.org/>"]], 416],
    ["leads to tel", [["Refer-To", "<tel:+4930123>"]], 416],
    ["asks for another method", [["Refer-To", "<sip:1004@x;method=BYE>"]], 501],
    [
      "requires what nobody knows",
      [
        ["Refer-To", target],
        ["Require", "magic"],
      ],
      420,
    ],
  ] as const)("%s", async (_name, headers, status) => {
    const bench = new TransferBench();
    const { session } = await bench.running();
    const invites = sent(bench, "INVITE").length;
    const statuses = send(session, "REFER", headers);
    await bench.pass();
    expect(statuses).toEqual([status]);
    expect(sent(bench, "INVITE")).toHaveLength(invites);
    expect(session.established).toBe(true);
  });

  it("comes while another is under way: 491", async () => {
    const { bench, session } = await referred();
    const statuses = send(session, "REFER", [["Refer-To", target]]);
    await bench.pass();
    expect(statuses).toEqual([491]);
  });

  it("comes while the agent is being rung: 491, and the call rings on", async () => {
    const bench = new TransferBench();
    await bench.callAgent();
    const statuses = send(bench.trunk.outgoing?.session, "REFER", [["Refer-To", target]]);
    await bench.pass();
    expect(statuses).toEqual([491]);
    expect(bench.b2bua.calls()).toMatchObject([{ state: "ringing" }]);
  });
});
