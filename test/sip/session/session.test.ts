import { describe, expect, it } from "vitest";
import { createResponse } from "../../../src/sip/index.ts";
import { nothing, SessionPair } from "../../support/session-pair.ts";

describe("setting a session up", () => {
  it("rings, answers, acknowledges and ends by BYE, leaving nothing behind", () => {
    const pair = new SessionPair();
    pair.caller.user.onAnsweredReceived = ({ cseq }) => pair.outgoing?.session.acknowledge(cseq.sequence);
    const outgoing = pair.invite();
    pair.received.progress(180);
    pair.clock.advance(10);
    pair.received.accept("answer");
    pair.clock.advance(10);
    expect(pair.caller.user.told).toEqual(["provisional 180", "answered answer"]);
    expect(pair.callee.user.told).toEqual(["acknowledged"]);
    outgoing.session.bye([["Reason", 'SIP;cause=200;text="done"']]);
    pair.clock.advance(10);
    expect(pair.callee.user.told.at(-1)).toBe('ended BYE (SIP;cause=200;text="done")');
    expect(pair.remains()).toEqual(nothing);
  });

  it("carries the answer of an offerless INVITE in the ACK", () => {
    const pair = new SessionPair();
    pair.caller.user.onAnsweredReceived = ({ cseq }) =>
      pair.outgoing?.session.acknowledge(cseq.sequence, "answer in ACK");
    pair.invite({});
    expect(pair.received.offer).toBe("");
    pair.received.accept("our offer");
    pair.clock.advance(10);
    expect(pair.caller.user.told).toEqual(["answered our offer"]);
    expect(pair.callee.user.told).toEqual(["acknowledged answer in ACK"]);
  });

  it("repeats the 200 at 0.5, 1, 2, 4, 4 s until the ACK, even on a reliable transport", () => {
    const pair = new SessionPair("WSS");
    pair.invite();
    pair.received.accept("answer");
    const count = () =>
      pair.network.startLines("192.0.2.2:5060").filter((line) => line.includes(" 200 ")).length;
    const seen: number[] = [];
    for (const step of [400, 200, 1000, 2000, 4000, 4000]) {
      pair.clock.advance(step);
      seen.push(count());
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    pair.outgoing?.session.acknowledge(1);
    pair.clock.advance(20_000);
    expect(count()).toBe(6);
    expect(pair.callee.user.told).toEqual(["acknowledged"]);
  });

  it("takes an ACK that comes 31.95 s after the 200, as SIP Server's does when a 3pcc callee never answers", () => {
    const pair = new SessionPair();
    pair.invite({});
    pair.received.accept("our offer");
    pair.clock.advance(31_950);
    pair.outgoing?.session.acknowledge(1, "c=IN IP4 0.0.0.0");
    pair.outgoing?.session.bye();
    pair.clock.advance(10);
    expect(pair.callee.user.told).toEqual(["acknowledged c=IN IP4 0.0.0.0", "ended BYE"]);
    expect(pair.remains()).toEqual(nothing);
  });

  it("hangs up with a reason when the ACK never comes", () => {
    const pair = new SessionPair();
    pair.invite();
    pair.received.accept("answer");
    pair.clock.advance(38_000);
    expect(pair.callee.user.told).toEqual([expect.stringMatching(/^ended .*ACK/)]);
    expect(pair.network.startLines("192.0.2.2:5060").some((line) => line.startsWith("BYE "))).toBe(true);
    expect(pair.remains()).toEqual(nothing);
  });

  it("repeats its ACK when the 200 comes again because the ACK was lost", () => {
    const pair = new SessionPair();
    let lost = 0;
    pair.network.drop = (_from, text) => text.startsWith("ACK ") && lost++ < 2;
    pair.establish();
    pair.clock.advance(5000);
    expect(pair.callee.user.told).toEqual(["acknowledged"]);
    const acks = pair.network.sent.filter(({ text }) => text.startsWith("ACK "));
    expect(acks).toHaveLength(3);
    expect(new Set(acks.map(({ text }) => text)).size).toBe(1);
  });

  it("answers a CANCEL with 487 and tells both users once", () => {
    const pair = new SessionPair();
    const outgoing = pair.invite();
    pair.received.progress(180);
    pair.clock.advance(10);
    outgoing.cancel('SIP;cause=200;text="Call completed elsewhere"');
    outgoing.cancel();
    pair.clock.advance(10);
    expect(pair.callee.user.told).toEqual(["failed 487"]);
    expect(pair.caller.user.told).toEqual(["provisional 180", "failed 487"]);
    expect(pair.remains()).toEqual(nothing);
  });

  it("acknowledges and hangs up a 200 that crossed its CANCEL", () => {
    const pair = new SessionPair();
    const outgoing = pair.invite();
    pair.received.progress(180);
    pair.clock.advance(10);
    pair.received.accept("answer");
    outgoing.cancel();
    pair.clock.advance(20);
    expect(pair.caller.user.told).toEqual(["provisional 180", "failed 487"]);
    expect(pair.callee.user.told).toEqual(["acknowledged", "ended BYE"]);
    expect(pair.remains()).toEqual(nothing);
  });

  it("gives up a cancelled INVITE whose peer fell silent", () => {
    const pair = new SessionPair();
    const outgoing = pair.invite();
    pair.received.progress(180);
    pair.clock.advance(10);
    pair.network.drop = () => true;
    outgoing.cancel();
    pair.clock.advance(33_000);
    expect(pair.caller.user.told.at(-1)).toBe("failed 487");
    pair.received.session.close();
  });

  it("passes a refusal on with its Reason", () => {
    const pair = new SessionPair();
    pair.invite();
    pair.received.reject(486, undefined, [["Reason", "Q.850;cause=17"]]);
    expect(pair.received.reject(480)).toBe(false);
    pair.clock.advance(10);
    expect(pair.caller.user.told).toEqual(["failed 486"]);
    expect(pair.remains()).toEqual(nothing);
  });

  it("sends the BYE only after the ACK when the called side hangs up before it (RFC 3261 15)", () => {
    const pair = new SessionPair();
    pair.invite();
    pair.received.accept("answer");
    pair.received.session.bye();
    pair.clock.advance(10);
    expect(pair.network.startLines("192.0.2.2:5060").some((line) => line.startsWith("BYE "))).toBe(false);
    pair.outgoing?.session.acknowledge(1);
    pair.clock.advance(10);
    expect(pair.caller.user.told).toEqual(["answered answer", "ended BYE"]);
    expect(pair.callee.user.told).toEqual([]);
    expect(pair.remains()).toEqual(nothing);
  });
});

describe("requests within a dialog", () => {
  it("hands NOTIFY to the user in the early dialog, without any subscription", () => {
    const pair = new SessionPair();
    const outgoing = pair.invite();
    pair.received.progress(180);
    pair.clock.advance(10);
    pair.callee.user.onRequestReceived = (request, transaction) =>
      transaction.respond(createResponse(request, 200));
    const statuses: number[] = [];
    outgoing.session.request("NOTIFY", [["Event", "talk"]], undefined, {
      onResponse: ({ status }) => statuses.push(status),
    });
    pair.clock.advance(10);
    expect(pair.callee.user.told).toEqual(["request NOTIFY"]);
    expect(statuses).toEqual([200]);
  });

  it("gets 481 for a dialog nobody knows", () => {
    const pair = new SessionPair();
    const { caller, callee } = pair.establish();
    callee.session.close();
    const statuses: number[] = [];
    caller.session.request("INFO", [], undefined, { onResponse: ({ status }) => statuses.push(status) });
    pair.clock.advance(10);
    expect(statuses).toEqual([481]);
    expect(pair.caller.user.told).toEqual(["ended 481 Call/Transaction Does Not Exist (our INFO)"]);
    expect(pair.remains()).toEqual(nothing);
  });

  it("refuses a request older than the last one with 500", () => {
    const pair = new SessionPair();
    const { caller } = pair.establish();
    const statuses: number[] = [];
    const old = caller.session.dialog?.createRequest("INFO");
    old?.headers.set("CSeq", "1 INFO");
    if (old)
      pair.caller.layer.request(old, pair.caller.flow, {
        onResponse: ({ status }) => statuses.push(status),
        onTimeout() {},
        onTransportError() {},
      });
    pair.clock.advance(10);
    expect(statuses).toEqual([500]);
  });

  it("ends the session when the peer no longer answers", () => {
    const pair = new SessionPair();
    const { caller } = pair.establish();
    pair.network.drop = () => true;
    caller.session.request("INFO");
    pair.clock.advance(33_000);
    expect(pair.caller.user.told).toEqual(["ended no answer (our INFO)"]);
  });
});

describe("offers within a session", () => {
  it("re-INVITEs with an offer and takes the answer from the 200", () => {
    const pair = new SessionPair();
    const { callee } = pair.establish();
    const answers: string[] = [];
    callee.session.reinvite(() => "hold", { onAnswer: (sdp) => void answers.push(sdp) });
    pair.clock.advance(10);
    expect(pair.caller.user.told).toEqual(["offer hold"]);
    expect(answers).toEqual(["answer to hold"]);
    callee.session.bye();
    expect(pair.remains()).toEqual(nothing);
  });

  it("answers an offerless re-INVITE with an offer and takes the answer from the ACK", () => {
    const pair = new SessionPair();
    const { caller } = pair.establish();
    const answers: string[] = [];
    pair.callee.user.onOfferReceived = (_sdp, reply) =>
      reply.accept("full offer", (sdp) => answers.push(sdp));
    caller.session.reinvite(() => undefined, { onAnswer: (offer) => `answer to ${offer}` });
    pair.clock.advance(10);
    expect(pair.callee.user.told).toEqual(["offer"]);
    expect(answers).toEqual(["answer to full offer"]);
  });

  it("sends two offers one after the other, the second once the first is answered", () => {
    const pair = new SessionPair();
    const { caller } = pair.establish();
    const answers: string[] = [];
    for (const sdp of ["first", "second"])
      caller.session.reinvite(() => sdp, { onAnswer: (answer) => void answers.push(answer) });
    expect(
      pair.network.startLines("192.0.2.1:5060").filter((line) => line.startsWith("INVITE")),
    ).toHaveLength(2);
    pair.clock.advance(20);
    expect(answers).toEqual(["answer to first", "answer to second"]);
  });

  it("meets glare with 491 on both sides and gets both offers through after random waits", () => {
    const pair = new SessionPair();
    const { caller, callee } = pair.establish();
    const answers: string[] = [];
    caller.session.reinvite(() => "from caller", { onAnswer: (sdp) => void answers.push(sdp) });
    callee.session.reinvite(() => "from callee", { onAnswer: (sdp) => void answers.push(sdp) });
    pair.clock.advance(2);
    expect(pair.network.sent.filter(({ text }) => text.startsWith("SIP/2.0 491"))).toHaveLength(2);
    pair.clock.advance(5000);
    expect(answers.toSorted()).toEqual(["answer to from callee", "answer to from caller"]);
    caller.session.bye();
    expect(pair.remains()).toEqual(nothing);
  });

  it("answers a second offer with 500 and Retry-After while the first is unanswered", () => {
    const pair = new SessionPair();
    const { caller } = pair.establish();
    const replies: (() => void)[] = [];
    pair.callee.user.onOfferReceived = (_sdp, reply) => replies.push(() => reply.accept("late"));
    caller.session.reinvite(() => "slow", { onAnswer: () => undefined });
    pair.clock.advance(5);
    const second = caller.session.dialog?.createRequest("INVITE", [["Contact", "<sip:x@192.0.2.1:5060>"]]);
    const statuses: number[] = [];
    if (second)
      pair.caller.layer.request(second, pair.caller.flow, {
        onResponse: ({ status, headers }) => {
          if (status >= 200) statuses.push(status, Number(headers.get("Retry-After")));
        },
        onTimeout() {},
        onTransportError() {},
      });
    pair.clock.advance(5);
    expect(statuses).toEqual([500, expect.toSatisfy((seconds: number) => seconds >= 0 && seconds <= 10)]);
    replies[0]?.();
    pair.clock.advance(5);
    expect(caller.session.state).toBe("established");
  });

  it("answers an UPDATE with an offer at once and one without as a refresh", () => {
    const pair = new SessionPair();
    const { caller } = pair.establish();
    const bodies: string[] = [];
    const onResponse = ({ status, body }: { status: number; body: Buffer }) =>
      bodies.push(`${status} ${body.toString()}`);
    caller.session.request("UPDATE", [["Content-Type", "application/sdp"]], "moved", { onResponse });
    caller.session.request("UPDATE", [], undefined, { onResponse });
    pair.clock.advance(10);
    expect(bodies).toEqual(["200 answer to moved", "200 "]);
    expect(pair.callee.user.told).toEqual(["offer moved"]);
  });

  it("refuses an offer without ending the session", () => {
    const pair = new SessionPair();
    const { caller } = pair.establish();
    pair.callee.user.onOfferReceived = (_sdp, reply) => reply.reject(488);
    const failures: number[] = [];
    caller.session.reinvite(() => "g729 only", {
      onAnswer: () => undefined,
      onFailed: (status) => failures.push(status),
    });
    pair.clock.advance(10);
    expect(failures).toEqual([488]);
    expect(caller.session.state).toBe("established");
  });

  it("takes a re-INVITE that overtook the ACK as proof that our 200 arrived", () => {
    const pair = new SessionPair();
    pair.network.drop = (_from, text) => text.startsWith("ACK ");
    pair.caller.user.onAnsweredReceived = ({ cseq }) => pair.outgoing?.session.acknowledge(cseq.sequence);
    pair.invite();
    pair.received.accept("answer");
    pair.clock.advance(5);
    pair.network.drop = () => false;
    const answers: string[] = [];
    pair.outgoing?.session.reinvite(() => "again", { onAnswer: (sdp) => void answers.push(sdp) });
    pair.clock.advance(10);
    expect(pair.callee.user.told).toEqual(["acknowledged", "offer again"]);
    expect(answers).toEqual(["answer to again"]);
  });
});
