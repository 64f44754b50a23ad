import { describe, expect, it } from "vitest";
import { plainOutbound } from "../../src/b2bua/outbound/outbound-policy.ts";
import { createResponse, type Session, type SipRequest } from "../../src/sip/index.ts";
import { nothingLeft } from "../support/b2bua-bench.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";
import {
  browserAnswer,
  newPlace,
  notifiesOf,
  replacesFor,
  send,
  statusesOf,
  TransferBench,
} from "../support/transfer-bench.ts";

/** SIP Server answers requests within dialogs with `status` and keeps the REFERs. */
function takesRefers(bench: TransferBench, status = 202): SipRequest[] {
  const refers: SipRequest[] = [];
  bench.trunk.user.onRequestReceived = (request, transaction) => {
    if (request.method === "REFER") refers.push(request);
    transaction.respond(createResponse(request, request.method === "REFER" ? status : 200));
  };
  return refers;
}

/** NOTIFY of SIP Server's about our REFER. */
const tell = (session: Session, status: number, state = status < 200 ? "active" : "terminated"): number[] =>
  send(
    session,
    "NOTIFY",
    [
      ["Event", "refer"],
      ["Subscription-State", state],
    ],
    `SIP/2.0 ${status} x\r\n`,
  );

/** A running call and the browser's REFER in it. */
async function referring(
  referTo = "<sip:1004@jackfield>",
  status = 202,
  options: ConstructorParameters<typeof TransferBench>[0] = {},
) {
  const bench = new TransferBench(options);
  const { session } = await bench.running();
  const refers = takesRefers(bench, status);
  const notifies = notifiesOf(bench.browser);
  const statuses = send(bench.browser.received.session, "REFER", [
    ["Refer-To", referTo],
    ["Referred-By", "<sip:boss@jackfield>"],
  ]);
  await bench.pass();
  return { bench, session, refers, notifies, statuses };
}

describe("REFER of the browser's: blind transfer", () => {
  it("goes to SIP Server with its own host and our Referred-By, and its NOTIFYs come back", async () => {
    const { bench, session, refers, notifies, statuses } = await referring();
    expect(statuses).toEqual([202]);
    expect(refers[0]?.headers.get("Refer-To")).toBe("<sip:1004@192.0.2.10:5060>");
    expect(refers[0]?.headers.getAll("Referred-By")).toEqual(["<sip:5001@192.0.2.10:5060>"]);
    const answers = [tell(session, 100), tell(session, 180), tell(session, 200)];
    await bench.pass();
    expect(answers).toEqual([[200], [200], [200]]);
    expect(statusesOf(notifies)).toEqual([100, 180, 200]);
    expect(notifies[0]).toMatch(/^refer;id=\d+ active/);
    session.bye();
    await bench.pass();
    expect(bench.browser.user.told.at(-1)).toBe("ended BYE");
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("that fails is told and the call goes on; another may follow", async () => {
    const { bench, session, refers, notifies } = await referring();
    tell(session, 486);
    await bench.pass();
    expect(statusesOf(notifies)).toEqual([100, 486]);
    send(bench.browser.received.session, "REFER", [["Refer-To", "<sip:1005@jackfield>"]]);
    await bench.pass();
    expect(refers).toHaveLength(2);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it.each([
    ["<sip:0900123@jackfield>", "a number that is denied"],
    ["<sip:09%300-12(3)@evil.example;x=1?Route=%3Csip:evil.example%3E>", "the same in disguise"],
    ["<sip:*310900123@jackfield>", "the same behind the prefix for privacy"],
    ["<sip:99@jackfield>", "a number of which the rules leave nothing"],
    ["<sip:tgruu.void@jackfield;gr>", "a GRUU that is void"],
    ["<sip:jackfield>", "nobody"],
  ])("is held to the rules for dialled numbers: %s is %s", async (referTo) => {
    const rules = [
      { match: "0900.", action: "deny" as const, strip: 0, prefix: "" },
      { match: "99", action: "allow" as const, strip: 2, prefix: "" },
    ];
    const outbound = { ...plainOutbound, rules, privacyPrefix: "*31" };
    const { bench, refers, statuses } = await referring(referTo, 202, { outbound });
    expect(statuses[0]).toBeGreaterThanOrEqual(400);
    expect(refers).toEqual([]);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("may lead to a GRUU of ours: to its client's DN", async () => {
    const { refers } = await referring("<sip:x@jackfield;gr=urn:uuid:1>");
    expect(refers[0]?.headers.get("Refer-To")).toBe("<sip:5001@192.0.2.10:5060>");
  });

  it.each([405, 501, 603])("that SIP Server answers with %i is told as that", async (status) => {
    const { bench, notifies, statuses } = await referring(undefined, status);
    expect(statuses).toEqual([202]);
    expect(statusesOf(notifies)).toEqual([100, status]);
    expect(bench.b2bua.size).toBe(1);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is not tried where SIP Server's Allow has no REFER", async () => {
    const bench = new TransferBench();
    await bench.callAgent(genesysSdp(), [["Allow", "INVITE, ACK, BYE, CANCEL"]]);
    bench.browser.received.accept(browserAnswer);
    await bench.pass();
    const refers = takesRefers(bench);
    const notifies = notifiesOf(bench.browser);
    send(bench.browser.received.session, "REFER", [["Refer-To", "<sip:1004@jackfield>"]]);
    await bench.pass();
    expect(refers).toEqual([]);
    expect(statusesOf(notifies)).toEqual([100, 405]);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is told to have worked before the BYE also where the page is slow to answer the NOTIFY before", async () => {
    const bench = new TransferBench();
    const { session } = await bench.running();
    takesRefers(bench);
    const told: string[] = [];
    // Answers nothing: a busy page.
    bench.browser.user.onRequestReceived = ({ method, body }) =>
      told.push(`${method} ${body.toString().trim()}`);
    send(bench.browser.received.session, "REFER", [["Refer-To", "<sip:1004@jackfield>"]]);
    await bench.pass();
    session.bye();
    await bench.pass();
    expect(told).toEqual(["NOTIFY SIP/2.0 100 Trying", "NOTIFY SIP/2.0 200 OK"]);
    expect(bench.browser.user.told.at(-1)).toBe("ended BYE");
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is told to have worked when SIP Server took it and ends the call without a word", async () => {
    const { bench, session, notifies } = await referring();
    session.bye();
    await bench.pass();
    expect(statusesOf(notifies)).toEqual([100, 200]);
    expect(bench.browser.user.told.at(-1)).toBe("ended BYE");
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("of which SIP Server tells nothing more is given up with 408", async () => {
    const { bench, session, notifies } = await referring();
    await bench.pass(190_000);
    expect(statusesOf(notifies)).toEqual([100, 408]);
    const late = tell(session, 200);
    await bench.pass();
    expect(late).toEqual([481]);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("of which SIP Server says only that it is over is told as 500", async () => {
    const { bench, session, notifies } = await referring();
    send(session, "NOTIFY", [
      ["Event", "refer"],
      ["Subscription-State", "terminated;reason=noresource"],
    ]);
    await bench.pass();
    expect(statusesOf(notifies)).toEqual([100, 500]);
  });

  it("survives NOTIFYs of nonsense", async () => {
    const { bench, session, notifies } = await referring();
    for (const body of ["", "SIP/2.0 999 x", "SIP/2.0 1x", "\0".repeat(2000)])
      send(
        session,
        "NOTIFY",
        [
          ["Event", "refer"],
          ["Subscription-State", "active"],
        ],
        body,
      );
    await bench.pass();
    expect(statusesOf(notifies)).toEqual([100]);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("never answered by SIP Server ends the call, which it does not know any more", async () => {
    const bench = new TransferBench();
    await bench.running();
    const notifies = notifiesOf(bench.browser);
    bench.network.drop = (from) => from.startsWith("192.0.2.10");
    send(bench.browser.received.session, "REFER", [["Refer-To", "<sip:1004@jackfield>"]]);
    await bench.pass(33_000);
    expect(statusesOf(notifies)).toEqual([100, 487]);
    expect(bench.b2bua.size).toBe(0);
    bench.trunk.outgoing?.session.close();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is forgotten when an INVITE with Replaces takes the call's leg away", async () => {
    const { bench, session, notifies } = await referring(undefined, 202);
    await bench.replace(replacesFor(session));
    expect(statusesOf(notifies)).toEqual([100, 200]);
    expect(bench.b2bua.calls()).toMatchObject([{ farNumber: "1004" }]);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is given up when the browser hangs up", async () => {
    const { bench, session } = await referring();
    await bench.hangUp();
    expect(session.state).toBe("terminated");
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});

/** Two calls: 1003 called the agent 5001; the agent, or another DN, called 1005. */
async function consulting(dn = "5001") {
  const bench = new TransferBench();
  const first = await bench.running();
  if (dn !== "5001") Object.assign(bench, { presence: { ...bench.presence, dn } });
  bench.browser.call("sip:1005@jackfield", `<sip:${dn}@jackfield>`, browserSdp());
  await bench.pass();
  bench.trunk.received.accept(genesysSdp({ address: newPlace }));
  await bench.pass();
  const consult = bench.browser.outgoing;
  if (!consult) throw new Error("no consult call");
  const refers = takesRefers(bench);
  const notifies = notifiesOf(bench.browser);
  const refer = async (replaces: string): Promise<number[]> => {
    const referTo = `<sip:1005@jackfield?Replaces=${encodeURIComponent(replaces)}>`;
    const statuses = send(bench.browser.received.session, "REFER", [["Refer-To", referTo]]);
    await bench.pass();
    return statuses;
  };
  return { bench, first, second: bench.trunk.received, consult, refers, notifies, refer };
}

describe("REFER of the browser's with Replaces: attended transfer", () => {
  it.each(["as RFC 3891 has it", "as JsSIP writes it for a call that came in"])(
    "names the other call by its dialog at SIP Server, tags %s",
    async (order) => {
      const { bench, first, second, consult, refers, notifies, refer } = await consulting();
      const { callId = "", localTag = "", remoteTag = "" } = consult.session.dialog ?? {};
      const [to, from] = order.startsWith("as RFC") ? [remoteTag, localTag] : [localTag, remoteTag];
      expect(await refer(`${callId};to-tag=${to};from-tag=${from}`)).toEqual([202]);
      const { dialog } = second.session;
      const value = `${dialog?.callId};to-tag=${dialog?.localTag};from-tag=${dialog?.remoteTag}`;
      expect(refers[0]?.headers.get("Refer-To")).toBe(
        `<sip:1003@192.0.2.10:5060?Replaces=${encodeURIComponent(value)}>`,
      );
      expect(refers[0]?.callId).toBe(first.callId);
      tell(first.session, 200);
      await bench.pass();
      expect(statusesOf(notifies)).toEqual([100, 200]);
      first.session.bye();
      second.session.bye();
      await bench.pass();
      expect(bench.b2bua.size).toBe(0);
      expect(await bench.remains()).toEqual(nothingLeft);
    },
  );

  it("of a call that is not the agent's is told as 481, nothing reaches SIP Server, both calls go on", async () => {
    const { refer, refers, notifies, bench, consult } = await consulting();
    const { callId = "" } = consult.session.dialog ?? {};
    expect(await refer("nobody;to-tag=a;from-tag=b")).toEqual([202]);
    expect(await refer(`${callId};to-tag=a;from-tag=b`)).toEqual([202]);
    expect(statusesOf(notifies)).toEqual([100, 481, 100, 481]);
    expect(refers).toEqual([]);
    expect(bench.b2bua.size).toBe(2);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("of the very call that is referred is told as 481", async () => {
    const { refer, refers, bench, notifies } = await consulting();
    await refer(replacesFor(bench.browser.received.session));
    expect(statusesOf(notifies)).toEqual([100, 481]);
    expect(refers).toEqual([]);
  });

  it("of the other call's dialog at SIP Server, which no browser should know, is told as 481", async () => {
    const { refer, refers, second, notifies } = await consulting();
    await refer(replacesFor(second.session));
    expect(statusesOf(notifies)).toEqual([100, 481]);
    expect(refers).toEqual([]);
  });

  it("of a call of another DN's is told as 481", async () => {
    const { refer, refers, notifies, consult } = await consulting("5002");
    await refer(replacesFor(consult.session));
    expect(statusesOf(notifies)).toEqual([100, 481]);
    expect(refers).toEqual([]);
  });
});

describe("a REFER of the browser's that is refused", () => {
  it.each([
    ["has no Refer-To", undefined, 400],
    ["leads to a web page", "<https://example.org>", 416],
    ["has no number", "<sip:jackfield>", 400],
    ["has a broken Replaces", "<sip:1004@x?Replaces=abc>", 400],
  ])("%s", async (_name, referTo, status) => {
    const bench = new TransferBench();
    await bench.running();
    const refers = takesRefers(bench);
    const statuses = send(
      bench.browser.received.session,
      "REFER",
      referTo === undefined ? [] : [["Refer-To", referTo]],
    );
    await bench.pass();
    expect(statuses).toEqual([status]);
    expect(refers).toEqual([]);
  });

  it("comes while another is under way: 491", async () => {
    const { bench } = await referring();
    const statuses = send(bench.browser.received.session, "REFER", [["Refer-To", "<sip:1005@jackfield>"]]);
    await bench.pass();
    expect(statuses).toEqual([491]);
  });

  it("comes while its call still rings: 491", async () => {
    const bench = new TransferBench();
    await bench.dial("1003");
    bench.trunk.received.progress(180);
    await bench.pass();
    const statuses = send(bench.browser.outgoing?.session, "REFER", [["Refer-To", "<sip:1005@jackfield>"]]);
    await bench.pass();
    expect(statuses).toEqual([491]);
    await bench.hangUp();
    bench.browser.outgoing?.cancel();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("comes by another connection than the call's: 403", async () => {
    const bench = new TransferBench();
    await bench.running();
    bench.presence.flow = { ...bench.toBrowser, id: "another" };
    const refers = takesRefers(bench);
    const statuses = send(bench.browser.received.session, "REFER", [["Refer-To", "<sip:1005@jackfield>"]]);
    await bench.pass();
    expect(statuses).toEqual([403]);
    expect(refers).toEqual([]);
  });
});
